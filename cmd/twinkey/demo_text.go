package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// saying is a text and what the service must find in it.
type saying struct {
	text string
	want string
}

// The texts are whole sentences: a language is hard to tell from less.
func multilingual() []saying {
	return []saying{
		{"The bakery on the corner opens at six, and the first loaves are gone before seven.", "English"},
		{"Der Zug nach Hamburg hat heute leider wieder eine halbe Stunde Verspätung, weil ein Baum auf den Gleisen liegt.", "German"},
		{"Le musée est fermé le mardi, mais vous pouvez visiter le jardin pendant toute la journée.", "French"},
		{"図書館は朝の九時に開いて、夜の八時に閉まります。", "Japanese"},
	}
}

func reviews() []saying {
	return []saying{
		{"The staff were wonderful and the rooms were spotless; we would happily come back.", "positive"},
		{"The heating was broken, nobody apologised, and the food was terrible.", "negative"},
	}
}

// textService is the text API at one address, naked or behind a gateway.
type textService struct {
	url  string
	http *http.Client
}

const (
	languagesPath = "/text/analytics/v3.1/languages"
	sentimentPath = "/text/analytics/v3.1/sentiment"
)

// post sends sayings to an operation, with a key unless it is "".
func (s *textService) post(ctx context.Context, key, path string, sayings []saying) (int, []byte, error) {
	type document struct {
		ID   string `json:"id"`
		Text string `json:"text"`
	}
	var documents []document
	for i, said := range sayings {
		documents = append(documents, document{fmt.Sprint(i + 1), said.text})
	}
	body, err := json.Marshal(map[string]any{"documents": documents})
	if err != nil {
		return 0, nil, fmt.Errorf("encoding the texts: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Ocp-Apim-Subscription-Key", key)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// found is what an operation says about one text.
type found struct {
	Language struct {
		Name       string  `json:"name"`
		Confidence float64 `json:"confidenceScore"`
	} `json:"detectedLanguage"`
	Sentiment string `json:"sentiment"`
	Scores    struct {
		Positive float64 `json:"positive"`
		Negative float64 `json:"negative"`
	} `json:"confidenceScores"`
}

// analyze posts sayings that must be answered with 200, one answer for each.
func (t *tour) analyze(ctx context.Context, s *textService, key, who, path string, sayings []saying) ([]found, error) {
	t.out.sent("POST %s%s  %s, %d texts", s.url, path, who, len(sayings))
	status, body, err := s.post(ctx, key, path, sayings)
	if err != nil {
		return nil, err
	}
	t.out.got("%d", status)
	if status != http.StatusOK {
		return nil, fmt.Errorf("a call with %s was answered %d instead of 200", who, status)
	}
	var answer struct {
		Documents []found `json:"documents"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(answer.Documents) != len(sayings) {
		return nil, fmt.Errorf("%d texts were sent and %d answered", len(sayings), len(answer.Documents))
	}
	return answer.Documents, nil
}

func (t *tour) languages(ctx context.Context, s *textService, key, who string) error {
	sayings := multilingual()
	answers, err := t.analyze(ctx, s, key, who, languagesPath, sayings)
	if err != nil {
		return err
	}
	var rows [][]string
	for i, a := range answers {
		rows = append(rows, []string{a.Language.Name, fmt.Sprintf("%.2f", a.Language.Confidence), sayings[i].text})
		if a.Language.Name != sayings[i].want {
			err = errors.Join(err, fmt.Errorf("a text in %s was taken for %q", sayings[i].want, a.Language.Name))
		}
	}
	t.out.table(rows)
	return err
}

func (t *tour) sentiments(ctx context.Context, s *textService, key, who string) error {
	sayings := reviews()
	answers, err := t.analyze(ctx, s, key, who, sentimentPath, sayings)
	if err != nil {
		return err
	}
	var rows [][]string
	for i, a := range answers {
		rows = append(rows, []string{a.Sentiment, fmt.Sprintf("+%.2f -%.2f", a.Scores.Positive, a.Scores.Negative), sayings[i].text})
		if a.Sentiment != sayings[i].want {
			err = errors.Join(err, fmt.Errorf("a %s text was called %q", sayings[i].want, a.Sentiment))
		}
	}
	t.out.table(rows)
	return err
}

// refused makes a call that the gateway must answer itself, with 401.
func (t *tour) refused(ctx context.Context, who, key string) error {
	t.out.sent("POST %s%s  %s", t.gateway.url, languagesPath, who)
	status, body, err := t.gateway.post(ctx, key, languagesPath, multilingual())
	if err != nil {
		return err
	}
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if status != http.StatusUnauthorized {
		return fmt.Errorf("a call with %s was answered %d instead of 401", who, status)
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Message == "" {
		return fmt.Errorf("a call with %s was refused without saying why", who)
	}
	t.out.got("%d %s", status, answer.Error.Message)
	return nil
}
