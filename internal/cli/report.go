package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"unicode"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"
)

// report prints err and decides the exit code: the one place that does either.
func (s *session) report(ctx context.Context, err error) int {
	if err == nil || errors.Is(err, errNobodyReads) {
		return exitOK
	}
	if ctx.Err() != nil {
		return exitInterrupted
	}
	if usage, ok := errors.AsType[*usageError](err); ok {
		s.errorf("%s", usage.text)
		if usage.suggestion != "" {
			s.sayf("%s", usage.suggestion)
		}
		if usage.cmd.Example != "" {
			s.sayf("\nExamples from command's help:\n%s", s.spelled(usage.cmd.Example))
		}
		return exitUsage
	}
	if refused, ok := errors.AsType[*armclient.ResponseError](err); ok {
		s.errorf("%s", refused.Error())
		if refused.Code != "" {
			s.sayf("Code: %s\nMessage: %s", plain(refused.Code), plain(refused.Message))
		}
		if refused.Status == 404 {
			return exitNotFound
		}
		return exitFailure
	}
	s.errorf("%v", err)
	if _, ok := errors.AsType[*armclient.TokenError](err); ok && s.command != "login" {
		s.sayf("Interactive authentication is needed. Please run:\n%s login", s.program)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		s.sayf("Set TWINKEY_CA_FILE to the server's CA certificate.")
	}
	if kind := twinkey.KindOf(err); kind == twinkey.NotFound || kind == twinkey.PrincipalNotFound {
		return exitNotFound
	}
	return exitFailure
}

func (s *session) errorf(format string, args ...any) { s.sayf("ERROR: "+format, args...) }

// warnf is for what one should know; --only-show-errors silences it.
func (s *session) warnf(format string, args ...any) {
	if !s.global.onlyShowErrors {
		s.sayf("WARNING: "+format, args...)
	}
}

// infof is for --verbose.
func (s *session) infof(format string, args ...any) {
	if (s.global.verbose || s.global.debug) && !s.global.onlyShowErrors {
		s.sayf("INFO: "+format, args...)
	}
}

// sayf writes to standard error, where everything but the result goes.
func (s *session) sayf(format string, args ...any) {
	_, _ = fmt.Fprintln(s.cfg.Stderr, plain(fmt.Sprintf(format, args...)))
}

// trace is for --debug. An exchange holds no secret.
func (s *session) trace(x armclient.Exchange) {
	outcome := fmt.Sprint(x.Status)
	if x.Err != nil {
		outcome = x.Err.Error()
	}
	s.sayf("DEBUG: %s %s -> %s (attempt %d, %.1f ms, client-request-id %s, request-id %s)",
		x.Method, x.URL, outcome, x.Attempt, float64(x.Took.Microseconds())/1000, x.ClientRequestID, x.RequestID)
}

// plain drops what could steer a terminal: control characters but line feed and
// tab, and the invisible ones that reorder text.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}
