package cli

// alike is how similar two words must be for one to be offered for the other.
const alike = 0.7

// didYouMean offers the most similar of the known words, or "".
func didYouMean(word string, known []string) string {
	best, found := alike, ""
	for _, candidate := range known {
		if s := similarity(word, candidate); s >= best {
			best, found = s, candidate
		}
	}
	if found == "" {
		return ""
	}
	return "Did you mean '" + found + "' ?"
}

// similarity is the share of characters that a and b have in common, in order:
// twice the matched length over the sum of lengths (Ratcliff and Obershelp's
// measure).
func similarity(a, b string) float64 {
	if len(a)+len(b) == 0 {
		return 1
	}
	return 2 * float64(matched(a, b)) / float64(len(a)+len(b))
}

// matched counts the longest common run and, to both sides of it, what else
// matches.
func matched(a, b string) int {
	startA, startB, length := 0, 0, 0
	for i := range len(a) {
		for j := range len(b) {
			n := 0
			for i+n < len(a) && j+n < len(b) && a[i+n] == b[j+n] {
				n++
			}
			if n > length {
				startA, startB, length = i, j, n
			}
		}
	}
	if length == 0 {
		return 0
	}
	return length + matched(a[:startA], b[:startB]) + matched(a[startA+length:], b[startB+length:])
}
