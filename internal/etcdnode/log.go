package etcdnode

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logger gives etcd a logger that writes to log and cannot end the process:
// after a fatal entry the node is dead and the goroutine ends.
func (n *Node) logger(log *slog.Logger) *zap.Logger {
	hook := deathHook{n}
	return zap.New(&core{log: log.With("component", "etcd")}, zap.WithFatalHook(hook), zap.WithPanicHook(hook))
}

type deathHook struct{ node *Node }

// OnWrite is called after etcd has logged something fatal.
func (h deathHook) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	why := fmt.Errorf("the store has stopped: %s", entry.Message)
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok && f.Type == zapcore.ErrorType {
			why = fmt.Errorf("the store has stopped: %s: %w", entry.Message, err)
		}
	}
	h.node.die(why)
	runtime.Goexit()
}

// core is a zapcore.Core over slog. What etcd calls information is detail to
// us, and its warnings are about itself.
type core struct {
	log    *slog.Logger
	fields []zapcore.Field
}

// Enabled implements zapcore.Core. What etcd says at its level debug is never
// logged: it spells out every write, and so the password digests and sealed
// keys that are written.
func (c *core) Enabled(l zapcore.Level) bool {
	return l > zapcore.DebugLevel && c.log.Enabled(context.Background(), level(l))
}

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	all := append(append([]zapcore.Field{}, c.fields...), fields...)
	return &core{log: c.log, fields: all}
}

// Check implements zapcore.Core. Fatal entries are always taken, so that their
// hook runs.
func (c *core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Level >= zapcore.DPanicLevel || c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write implements zapcore.Core.
func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	encoded := zapcore.NewMapObjectEncoder()
	for _, f := range append(append([]zapcore.Field{}, c.fields...), fields...) {
		f.AddTo(encoded)
	}
	attrs := make([]slog.Attr, 0, len(encoded.Fields))
	for k, v := range encoded.Fields {
		attrs = append(attrs, slog.Any(k, v))
	}
	c.log.LogAttrs(context.Background(), levelOf(e), e.Message, attrs...)
	return nil
}

// Sync implements zapcore.Core.
func (c *core) Sync() error { return nil }

// levelOf is the level of an entry. What etcd says at every start of a member
// like ours, and what means nothing here, is detail.
func levelOf(e zapcore.Entry) slog.Level {
	switch e.Message {
	case "failed to update storage version", // a new database has no term yet; it is written later
		"Running http and grpc server on single port. This is not recommended for production.", // there is no port
		"simple token is not cryptographically signed":                                         // there are no users of etcd
		return slog.LevelDebug
	}
	return level(e.Level)
}

func level(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelError
	case l == zapcore.WarnLevel:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
