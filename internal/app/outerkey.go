package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/sealing"
)

// OuterKeyVariable is the environment variable that holds the outer key where
// there is no file for it.
const OuterKeyVariable = "TWINKEY_OUTER_KEY"

// checkPlaces refuses to keep the outer key where the data is, so that no copy of
// the data holds the key that opens it.
func (a *App) checkPlaces(context.Context) error {
	data, err := filepath.Abs(a.config.DataDir)
	if err != nil {
		return fmt.Errorf("finding the data directory: %w", err)
	}
	config, err := filepath.Abs(a.config.ConfigDir)
	if err != nil {
		return fmt.Errorf("finding the configuration directory: %w", err)
	}
	if below, err := filepath.Rel(data, config); err == nil && filepath.IsLocal(below) {
		return twinkey.Errorf(twinkey.Invalid, "The configuration directory %s is in the data directory %s, so a copy of the data would hold the key that opens it. Name another with --config-dir.", a.config.ConfigDir, a.config.DataDir)
	}
	return nil
}

func outerKeyPath(c Config) string { return filepath.Join(c.ConfigDir, "outer.key") }

// findOuterKey reads the outer key from the environment or its file; nil if
// there is none.
func findOuterKey(c Config) (*sealing.OuterKey, error) {
	if text := os.Getenv(OuterKeyVariable); text != "" {
		key, err := sealing.ParseOuterKey(twinkey.NewSecret(text))
		if err != nil {
			return nil, twinkey.Wrap(err, twinkey.Invalid, "The variable %s does not hold an outer key: %v", OuterKeyVariable, err)
		}
		return key, nil
	}
	key, err := sealing.ReadOuterKey(outerKeyPath(c))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, twinkey.Wrap(err, twinkey.Invalid, "The outer key cannot be used: %v", err)
	}
	return key, nil
}

// checkOuterKey refuses, before anything is opened, to run on existing data
// without an outer key.
func checkOuterKey(c Config) error {
	key, err := findOuterKey(c)
	if err != nil || key != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.DataDir, "etcd")); err == nil {
		return missingOuterKey(c)
	}
	return nil
}

func missingOuterKey(c Config) error {
	return twinkey.Errorf(twinkey.Invalid, "The keys in %s are sealed, and the outer key that opens them is missing: put it back at %s or into %s. A new one would not open them, so none is made.", c.DataDir, outerKeyPath(c), OuterKeyVariable)
}

// openRing opens the data keys; on an empty store it makes the first, and an
// outer key if there is none.
func openRing(ctx context.Context, c Config, store *etcdstore.Store) (*sealing.Ring, error) {
	outer, err := findOuterKey(c)
	if err != nil {
		return nil, err
	}
	wrapped, err := store.DataKeys(ctx)
	if err != nil {
		return nil, err
	}
	if outer == nil && len(wrapped) > 0 {
		return nil, missingOuterKey(c)
	}
	if outer == nil {
		if outer, err = sealing.CreateOuterKey(outerKeyPath(c)); err != nil {
			return nil, err
		}
	}
	if len(wrapped) == 0 {
		first, err := outer.NewDataKey(1)
		if err != nil {
			return nil, err
		}
		if err := store.AddDataKey(ctx, 1, first); err != nil {
			return nil, err
		}
		wrapped = map[uint32][]byte{1: first}
	}
	ring, err := outer.Open(wrapped)
	if err != nil {
		return nil, twinkey.Wrap(err, twinkey.Invalid, "The outer key does not open the keys in %s: %v. Put back the one this data was made with.", c.DataDir, err)
	}
	return ring, nil
}
