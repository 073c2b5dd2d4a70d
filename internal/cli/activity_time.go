package cli

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// moment is an option's point in time.
type moment time.Time

func (m *moment) String() string { return "" }

func (m *moment) Type() string { return "time" }

func (m *moment) Set(s string) error {
	for _, form := range []string{
		time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
	} {
		if at, err := time.Parse(form, s); err == nil {
			*m = moment(at)
			return nil
		}
	}
	return fmt.Errorf("'%s' is not a time; expected 2026-01-31T12:00:00Z", s)
}

// offset is an option's length of time: days, hours and minutes.
type offset time.Duration

func (o *offset) String() string { return "" }

func (o *offset) Type() string { return "offset" }

func (o *offset) Set(s string) error {
	parts := regexp.MustCompile(`^(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?$`).FindStringSubmatch(s)
	if s == "" || parts == nil {
		return fmt.Errorf("'%s' is not a length of time; expected the form 1d6h30m", s)
	}
	var sum time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		n, _ := strconv.Atoi(parts[i+1]) // digits, or "" for none
		sum += time.Duration(n) * unit
	}
	*o = offset(sum)
	return nil
}

// count is an option's whole number, 1 or more.
type count int

func (c *count) String() string { return "" }

func (c *count) Type() string { return "count" }

func (c *count) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return fmt.Errorf("'%s' is not a whole number, 1 or more", s)
	}
	*c = count(n)
	return nil
}
