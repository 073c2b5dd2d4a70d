package web

import (
	"context"
	"log/slog"
	"strings"

	"github.com/twinkey/twinkey"
)

// complaints takes what net/http has to say. It keeps the fixed part of each
// message: what follows a quotation mark, a bracket or a panic may be a
// caller's text.
type complaints struct {
	log     *slog.Logger
	surface string
}

// Write logs one message. A failed handshake is the client's affair, and
// strangers can cause any number of them: debug.
func (c complaints) Write(p []byte) (int, error) {
	text := string(p)
	level := slog.LevelWarn
	if strings.Contains(text, "TLS handshake error") {
		level = slog.LevelDebug
	}
	if at := strings.Index(text, "panic serving"); at >= 0 {
		text = text[:at] + "panic"
		level = slog.LevelError
	}
	if at := strings.IndexAny(text, "\"'`(\n"); at >= 0 {
		text = text[:at]
	}
	c.log.Log(context.Background(), level, "connection", "surface", c.surface, "message", twinkey.Printable(strings.TrimSpace(text), 300))
	return len(p), nil
}
