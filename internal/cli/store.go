package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	twinkey "github.com/twinkey/twinkey"
)

// store is the configuration directory: profile.json and tokens.json, and
// config.json once there are settings, all readable by their owner alone. A file is replaced as a whole, so a reader sees
// an old one or a new one, whenever a writer is killed; writers take turns.
type store struct {
	dir     string
	program string // what messages call this program
}

// state is both files.
type state struct {
	profile profile
	tokens  tokens
}

const (
	profileFile  = "profile.json"
	tokensFile   = "tokens.json"
	settingsFile = "config.json"
	lockFile     = "lock"
	tempPattern  = ".new-*"
	storeVersion = 1
)

func (s *session) store() (store, error) {
	dir := s.cfg.Getenv("TWINKEY_CONFIG_DIR")
	if dir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return store{}, fmt.Errorf("looking for the configuration directory: %w (set TWINKEY_CONFIG_DIR)", err)
		}
		dir = filepath.Join(base, "twinkey-cli")
	}
	return store{dir: dir, program: s.program}, nil
}

// load reads both files; what does not exist is empty.
func (st store) load() (*state, error) {
	var loaded state
	if _, err := st.read(profileFile, &loaded.profile); err != nil {
		return nil, err
	}
	if _, err := st.read(tokensFile, &loaded.tokens); err != nil {
		return nil, err
	}
	return &loaded, nil
}

// update changes both files in one turn. What change leaves as it was is not
// written.
func (st store) update(ctx context.Context, change func(*state) error) error {
	return st.alone(ctx, func() error {
		var now state
		oldProfile, err := st.read(profileFile, &now.profile)
		if err != nil {
			return err
		}
		oldTokens, err := st.read(tokensFile, &now.tokens)
		if err != nil {
			return err
		}
		if err := change(&now); err != nil {
			return err
		}
		now.profile.Version, now.tokens.Version = storeVersion, storeVersion
		if err := st.write(tokensFile, oldTokens, now.tokens); err != nil {
			return err
		}
		return st.write(profileFile, oldProfile, now.profile)
	})
}

// alone does something while no other command writes.
func (st store) alone(ctx context.Context, do func() error) error {
	if err := os.MkdirAll(st.dir, 0o700); err != nil {
		return fmt.Errorf("making the configuration directory: %w", err)
	}
	unlock, err := st.lock(ctx)
	if err != nil {
		return fmt.Errorf("waiting for another %s command: %w", st.program, err)
	}
	defer unlock()
	return do()
}

// remedy is the command that makes a deleted file again.
func (st store) remedy(name string) string {
	if name == settingsFile {
		return st.program + " config set"
	}
	return st.program + " login"
}

// read decodes a file and returns its text.
func (st store) read(name string, v any) ([]byte, error) {
	path := filepath.Join(st.dir, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	var format struct {
		Version int `json:"version"`
	}
	if err = json.Unmarshal(text, &format); err == nil && format.Version > storeVersion {
		return nil, twinkey.Errorf(twinkey.Unsupported, "%s was written by a newer twinkey (format %d); this one knows format %d.", path, format.Version, storeVersion)
	}
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		// The decoder's words may quote the file, so they stay unsaid.
		return nil, twinkey.Errorf(twinkey.Unreadable, "%s is damaged. Delete it and run '%s'.", path, st.remedy(name))
	}
	return text, nil
}

// write replaces a file unless it holds v already.
func (st store) write(name string, old []byte, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the configuration: %w", err)
	}
	if text = append(text, '\n'); bytes.Equal(old, text) {
		return nil
	}
	temp, err := os.CreateTemp(st.dir, tempPattern) // mode 0600
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	if err == nil {
		err = temp.Sync()
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), filepath.Join(st.dir, name))
	}
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// lock waits for this process's turn. The lock dies with its process. What a
// killed writer left behind may hold a secret and is removed.
func (st store) lock(ctx context.Context) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(st.dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	timer := time.NewTicker(5 * time.Millisecond)
	defer timer.Stop()
	for {
		taken, err := tryLock(file)
		if err != nil {
			file.Close()
			return nil, err
		}
		if taken {
			break
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
	if leftovers, err := filepath.Glob(filepath.Join(st.dir, tempPattern)); err == nil && lockExcludes {
		for _, path := range leftovers {
			_ = os.Remove(path)
		}
	}
	return func() { file.Close() }, nil
}
