package textanalytics

import (
	"math"
	"net/url"
	"strings"

	"github.com/jonreiter/govader"
)

// sentimentModel names the library version that scores.
const sentimentModel = "govader-2025-04-29"

const (
	positive = "positive"
	neutral  = "neutral"
	negative = "negative"
	mixed    = "mixed"
)

// threshold is the compound score from which VADER's authors call a text
// positive, and below whose negative they call it negative
// (github.com/cjhutto/vaderSentiment, README, "About the Scoring").
const threshold = 0.05

// sentimentScorer scores English with VADER's lexicon, read once and only read
// afterwards.
type sentimentScorer struct {
	vader *govader.SentimentIntensityAnalyzer
}

type confidence struct {
	Positive float64 `json:"positive"`
	Neutral  float64 `json:"neutral"`
	Negative float64 `json:"negative"`
}

type sentenceAnswer struct {
	Text       string     `json:"text"`
	Sentiment  string     `json:"sentiment"`
	Confidence confidence `json:"confidenceScores"`
	Offset     int        `json:"offset"`
	Length     int        `json:"length"`
}

type sentimentAnswer struct {
	ID         string           `json:"id"`
	Sentiment  string           `json:"sentiment"`
	Confidence confidence       `json:"confidenceScores"`
	Sentences  []sentenceAnswer `json:"sentences"`
	Warnings   []string         `json:"warnings"`
}

// scorerFor reads the unit in which the caller wants offsets and lengths.
func (s sentimentScorer) scorerFor(parameters url.Values) (analyze, *fault) {
	count, ok := counterFor(parameters.Get("stringIndexType"))
	if !ok {
		return nil, refusal("InvalidParameterValue", "stringIndexType must be TextElement_v8, UnicodeCodePoint or Utf16CodeUnit.")
	}
	return func(d document) (any, *fault) { return s.score(d, count) }, nil
}

func (s sentimentScorer) score(d document, count counter) (any, *fault) {
	if l := strings.ToLower(d.Language); l != "" && l != "en" && !strings.HasPrefix(l, "en-") {
		return nil, documentRefusal("UnsupportedLanguageCode", "Sentiment is scored for English alone. Supported languages: en.")
	}
	a := sentimentAnswer{ID: d.ID, Warnings: []string{}}
	offset, done := 0, 0 // in the caller's units, in bytes
	for _, sentence := range sentences(d.Text) {
		offset += count(d.Text[done:sentence.start])
		text := d.Text[sentence.start:sentence.end]
		length := count(text)
		label, scores := s.scoreSentence(text)
		a.Sentences = append(a.Sentences, sentenceAnswer{Text: text, Sentiment: label, Confidence: scores, Offset: offset, Length: length})
		offset, done = offset+length, sentence.end
	}
	a.Sentiment, a.Confidence = summarize(a.Sentences)
	return a, nil
}

// scoreSentence labels a sentence by VADER's compound score c. The confidence
// in each label grows as exp(k*c), exp(k*threshold) and exp(-k*c), so the label
// is always the one with most confidence; the steepness k is a choice.
func (s sentimentScorer) scoreSentence(text string) (string, confidence) {
	const k = 40
	// VADER parts words at spaces and at nothing else.
	c := s.vader.PolarityScores(strings.Join(strings.Fields(text), " ")).Compound
	p, u, n := math.Exp(k*c), math.Exp(k*threshold), math.Exp(-k*c)
	scores := rounded(p/(p+u+n), n/(p+u+n))
	switch {
	case c >= threshold:
		return positive, scores
	case c <= -threshold:
		return negative, scores
	}
	return neutral, scores
}

// summarize labels a document: mixed if it has positive and negative sentences,
// neutral if it has neither. Its confidence is the mean of its sentences'.
func summarize(sentences []sentenceAnswer) (string, confidence) {
	var p, n float64
	labels := map[string]bool{}
	for _, s := range sentences {
		labels[s.Sentiment] = true
		p += s.Confidence.Positive
		n += s.Confidence.Negative
	}
	total := float64(max(len(sentences), 1))
	scores := rounded(p/total, n/total)
	switch {
	case labels[positive] && labels[negative]:
		return mixed, scores
	case labels[positive]:
		return positive, scores
	case labels[negative]:
		return negative, scores
	}
	return neutral, scores
}

// rounded keeps two decimals, and a sum of one.
func rounded(p, n float64) confidence {
	p, n = round(p), round(n)
	return confidence{Positive: p, Neutral: round(max(1-p-n, 0)), Negative: n}
}

func round(x float64) float64 { return math.Round(x*100) / 100 }
