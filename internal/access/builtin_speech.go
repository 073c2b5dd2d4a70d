package access

// speechRoles are roles for speech services.
func speechRoles() []Role {
	return []Role{
		{
			ID:          "0e75ca1e-0464-4b4d-8b93-68208a576181",
			Name:        "Cognitive Services Speech Contributor",
			Description: "Do everything with speech projects.",
			Permissions: []Permission{{
				Actions: []string{
					"Microsoft.CognitiveServices/*/read",
					"Microsoft.Authorization/roleAssignments/read",
					"Microsoft.Authorization/roleDefinitions/read",
				},
				DataActions: []string{
					"Microsoft.CognitiveServices/accounts/SpeechServices/*",
					"Microsoft.CognitiveServices/accounts/CustomVoice/*",
					"Microsoft.CognitiveServices/accounts/AudioContentCreation/*",
					"Microsoft.CognitiveServices/accounts/TTSPlayer/*",
					"Microsoft.CognitiveServices/accounts/VideoTranslation/*",
					"Microsoft.CognitiveServices/accounts/CustomAvatar/*",
					"Microsoft.CognitiveServices/accounts/BatchAvatar/*",
					"Microsoft.CognitiveServices/accounts/BatchTextToSpeech/*",
				},
			}},
		},
		{
			ID:          "f2dc8367-1007-4938-bd23-fe263f013447",
			Name:        "Cognitive Services Speech User",
			Description: "Recognise and synthesise speech, and read projects.",
			Permissions: []Permission{{
				Actions: []string{
					"Microsoft.CognitiveServices/*/read",
					"Microsoft.Authorization/roleAssignments/read",
					"Microsoft.Authorization/roleDefinitions/read",
				},
				DataActions: []string{
					"Microsoft.CognitiveServices/accounts/SpeechServices/*/read",
					"Microsoft.CognitiveServices/accounts/SpeechServices/*/transcriptions/read",
					"Microsoft.CognitiveServices/accounts/SpeechServices/*/transcriptions/write",
					"Microsoft.CognitiveServices/accounts/SpeechServices/*/transcriptions/delete",
					"Microsoft.CognitiveServices/accounts/SpeechServices/*/transcriptions/action",
					"Microsoft.CognitiveServices/accounts/SpeechServices/*/frontend/action",
					"Microsoft.CognitiveServices/accounts/SpeechServices/text-dependent/*/action",
					"Microsoft.CognitiveServices/accounts/SpeechServices/text-independent/*/action",
					"Microsoft.CognitiveServices/accounts/SpeechServices/voiceagent/realtime/*",
					"Microsoft.CognitiveServices/accounts/SpeechServices/voicelive/realtime/*",
					"Microsoft.CognitiveServices/accounts/CustomVoice/*/read",
					"Microsoft.CognitiveServices/accounts/CustomVoice/evaluations/*",
					"Microsoft.CognitiveServices/accounts/CustomVoice/longaudiosynthesis/*",
					"Microsoft.CognitiveServices/accounts/AudioContentCreation/*",
					"Microsoft.CognitiveServices/accounts/TTSPlayer/*",
					"Microsoft.CognitiveServices/accounts/VideoTranslation/*",
					"Microsoft.CognitiveServices/accounts/CustomAvatar/*/read",
					"Microsoft.CognitiveServices/accounts/BatchAvatar/*",
					"Microsoft.CognitiveServices/accounts/BatchTextToSpeech/*",
				},
				NotDataActions: []string{
					"Microsoft.CognitiveServices/accounts/CustomVoice/datasets/files/read",
					"Microsoft.CognitiveServices/accounts/CustomVoice/datasets/utterances/read",
				},
			}},
		},
	}
}
