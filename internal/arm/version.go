package arm

import (
	"strings"
	"time"

	"github.com/twinkey/twinkey"
)

// The years an api-version can be of.
const (
	firstVersionYear = 2014
	lastVersionYear  = 2030
)

// Versions lists the api-versions that are known, the newest first. Others of
// the right form are accepted too: clients move on, and the operations served
// here have not changed their shape between any two of them.
func Versions() []string {
	return []string{
		"2026-03-01", "2025-09-01", "2025-06-01", "2024-10-01", "2023-05-01", "2022-12-01",
		"2022-10-01", "2022-03-01", "2021-10-01", "2021-04-30", "2017-04-18",
	}
}

// checkVersion returns the api-version of a call, or what is wrong with it.
func checkVersion(q Query) (string, error) {
	version := q.Get("api-version")
	if version == "" {
		return "", twinkey.Errorf(twinkey.MissingAPIVersion, "The api-version query parameter (?api-version=) is required for all requests.")
	}
	date := version
	if len(version) > len(time.DateOnly) {
		date = version[:len(time.DateOnly)]
	}
	day, err := time.Parse(time.DateOnly, date)
	suffix := version[len(date):]
	if err != nil || day.Year() < firstVersionYear || day.Year() > lastVersionYear || suffix != "" && !strings.EqualFold(suffix, "-preview") {
		return "", invalidVersion(version, Versions())
	}
	return version, nil
}

func invalidVersion(version string, supported []string) error {
	return twinkey.Errorf(twinkey.InvalidAPIVersion, "The api-version '%s' is invalid. The supported versions are '%s'.",
		twinkey.Printable(version, 40), strings.Join(supported, ","))
}
