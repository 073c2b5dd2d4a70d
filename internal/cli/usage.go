package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError says that the arguments are wrong: exit code 2, with examples.
type usageError struct {
	cmd        *cobra.Command
	text       string
	suggestion string // a line of its own; "" for none
}

func (e *usageError) Error() string { return e.text }

var errNoValue = errors.New("expected one argument")

// choiceError says that a value is none of those allowed.
type choiceError struct{ allowed []string }

func (e *choiceError) Error() string { return "allowed values: " + strings.Join(e.allowed, ", ") }

// flagError turns the option parser's errors into the Azure CLI's words.
func flagError(c *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		word := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			word = "-" + unknown.GetSpecifiedName()
		}
		return unknownWord(c, word, flagNames(c))
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return noValue(c, missing.GetFlag())
	}
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return &usageError{cmd: c, text: err.Error()}
	}
	if errors.Is(err, errNoValue) {
		return noValue(c, invalid.GetFlag())
	}
	if bad, ok := errors.AsType[*choiceError](err); ok {
		return &usageError{
			cmd:        c,
			text:       fmt.Sprintf("%s: '%s' is not a valid value for '--%s'. Allowed values: %s.", c.CommandPath(), invalid.GetValue(), invalid.GetFlag().Name, strings.Join(bad.allowed, ", ")),
			suggestion: didYouMean(invalid.GetValue(), bad.allowed),
		}
	}
	return &usageError{cmd: c, text: fmt.Sprintf("argument %s: %v", optionNames(invalid.GetFlag()), errors.Unwrap(err))}
}

func noValue(c *cobra.Command, flag *pflag.Flag) error {
	return &usageError{cmd: c, text: "argument " + optionNames(flag) + ": expected one argument"}
}

func unknownWord(c *cobra.Command, word string, known []string) error {
	return &usageError{
		cmd:        c,
		text:       fmt.Sprintf("'%s' is misspelled or not recognized by the system.", word),
		suggestion: didYouMean(word, known),
	}
}

func flagNames(c *cobra.Command) []string {
	var names []string
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, "--"+flag.Name)
		}
	})
	return names
}
