package textanalytics

import (
	"net/url"

	"github.com/abadojack/whatlanggo"
)

// languageModel names the library version that decides.
const languageModel = "whatlanggo-1.0.1"

// unknown is what Azure calls a language that cannot be told.
const unknown = "(Unknown)"

type detectedLanguage struct {
	Name       string  `json:"name"`
	ISO6391    string  `json:"iso6391Name"`
	Confidence float64 `json:"confidenceScore"`
}

type languageAnswer struct {
	ID       string           `json:"id"`
	Language detectedLanguage `json:"detectedLanguage"`
	Warnings []string         `json:"warnings"`
}

func detectorFor(url.Values) (analyze, *fault) { return detectLanguage, nil }

// detectLanguage looks at the text alone. A country hint is checked, because
// clients rely on a bad one being refused, but the detector has no use for it.
func detectLanguage(d document) (any, *fault) {
	if !isCountryHint(d.CountryHint) {
		return nil, documentRefusal("InvalidCountryHint", "The country hint must be two letters (ISO 3166-1 alpha-2), 'none' or empty.")
	}
	a := languageAnswer{ID: d.ID, Language: detectedLanguage{Name: unknown, ISO6391: unknown}, Warnings: []string{}}
	info := whatlanggo.Detect(d.Text)
	if name := whatlanggo.Langs[info.Lang]; name != "" {
		code := info.Lang.Iso6391()
		if code == "" {
			code = info.Lang.Iso6393()
		}
		a.Language = detectedLanguage{Name: name, ISO6391: code, Confidence: round(info.Confidence)}
	}
	return a, nil
}

func isCountryHint(s string) bool {
	if s == "" || s == "none" {
		return true
	}
	letter := func(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
	return len(s) == 2 && letter(s[0]) && letter(s[1])
}
