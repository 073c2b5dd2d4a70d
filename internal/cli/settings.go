package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settings is config.json: what holds where a command line says nothing.
type settings struct {
	Version  int                          `json:"version"`
	Sections map[string]map[string]string `json:"sections,omitempty"`
}

// The settings that commands read.
const (
	settingOutput   = "core.output"
	settingGroup    = "defaults.group"
	settingKind     = "defaults.kind"
	settingLocation = "defaults.location"
	settingSKU      = "defaults.sku"
)

func knownSettings() []string {
	return []string{settingOutput, settingGroup, settingKind, settingLocation, settingSKU}
}

// settingVariable is the environment's name for a setting: TWINKEY_DEFAULTS_GROUP
// for defaults.group.
func settingVariable(setting string) string {
	return "TWINKEY_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(setting))
}

// splitSetting reads "section.name", in any case.
func splitSetting(text string) (section, name string, ok bool) {
	section, name, ok = strings.Cut(strings.ToLower(text), ".")
	return section, name, ok && isSettingWord(section) && isSettingWord(name)
}

// parseSetting reads "section.name=value". A value that is an empty pair of
// quotes is empty: some shells drop an argument's end that is empty itself. What
// is not UTF-8 could not be kept as it is.
func parseSetting(text string) (section, name, value string, ok bool) {
	key, value, ok := strings.Cut(text, "=")
	if !ok || !utf8.ValidString(value) {
		return "", "", "", false
	}
	section, name, ok = splitSetting(key)
	if value == `''` || value == `""` {
		value = ""
	}
	return section, name, value, ok
}

func isSettingWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// setting is what the environment or else the file says, and which of them; an
// empty value says nothing.
func (s *session) setting(name string) (value, source string, err error) {
	variable := settingVariable(name)
	if value := s.cfg.Getenv(variable); value != "" {
		return value, variable, nil
	}
	file, source, err := s.settingsFile()
	if err != nil {
		return "", "", err
	}
	section, key, _ := splitSetting(name)
	return file.Sections[section][key], source, nil
}

// settingsFile reads the file, once, and says where it is.
func (s *session) settingsFile() (*settings, string, error) {
	st, err := s.store()
	if err != nil {
		return nil, "", err
	}
	if s.settings == nil {
		var file settings
		if _, err := st.read(settingsFile, &file); err != nil {
			return nil, "", err
		}
		s.settings = &file
	}
	return s.settings, filepath.Join(st.dir, settingsFile), nil
}

// changeSettings changes the file, in turn with other commands.
func (s *session) changeSettings(ctx context.Context, change func(*settings)) error {
	st, err := s.store()
	if err != nil {
		return err
	}
	return st.alone(ctx, func() error {
		var file settings
		old, err := st.read(settingsFile, &file)
		if err != nil {
			return err
		}
		change(&file)
		file.Version = storeVersion
		s.settings = &file
		return st.write(settingsFile, old, file)
	})
}

// set keeps a value; an empty one stays, and says nothing.
func (f *settings) set(section, name, value string) {
	if f.Sections == nil {
		f.Sections = map[string]map[string]string{}
	}
	if f.Sections[section] == nil {
		f.Sections[section] = map[string]string{}
	}
	f.Sections[section][name] = value
}

func (f *settings) unset(section, name string) {
	delete(f.Sections[section], name)
	if len(f.Sections[section]) == 0 {
		delete(f.Sections, section)
	}
}

// entry is a setting as it is printed.
func entry(name, source, value string) map[string]any {
	return map[string]any{"name": name, "source": source, "value": value}
}

// effective lists every setting that is set, by section, the environment before
// the file.
func (s *session) effective() (map[string][]any, error) {
	file, path, err := s.settingsFile()
	if err != nil {
		return nil, err
	}
	names := knownSettings()
	for section, values := range file.Sections {
		for name := range values {
			names = append(names, section+"."+name)
		}
	}
	slices.Sort(names)
	all := map[string][]any{}
	for _, full := range slices.Compact(names) {
		section, name, _ := splitSetting(full)
		if value := s.cfg.Getenv(settingVariable(full)); value != "" {
			all[section] = append(all[section], entry(name, settingVariable(full), value))
		} else if value, ok := file.Sections[section][name]; ok {
			all[section] = append(all[section], entry(name, path, value))
		}
	}
	return all, nil
}

// settle gives every option that was not given what its setting says, and the
// output its form.
func (s *session) settle(c *cobra.Command, v view) error {
	var failed error
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		name := marked(flag, settingMark)
		if failed != nil || flag.Changed || name == "" {
			return
		}
		if name == settingOutput && v.output != "" {
			s.global.output.value = v.output
			return
		}
		failed = s.fill(c, flag, name)
	})
	return failed
}

func (s *session) fill(c *cobra.Command, flag *pflag.Flag, setting string) error {
	value, source, err := s.setting(setting)
	if err != nil || value == "" {
		return err
	}
	if err := c.Flags().Set(flag.Name, value); err != nil {
		return twinkey.Errorf(twinkey.Invalid, "%s, which %s says, cannot be used: %v", setting, source, settingProblem(err))
	}
	return nil
}

// settingProblem is err without the option it was found at, which nobody typed.
func settingProblem(err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return invalid.Unwrap()
	}
	return err
}

// fromSetting makes a setting the value of an option that is not given.
func fromSetting(c *cobra.Command, flag, setting string) {
	markFlag(c, flag, settingMark, setting)
}

// checkSetting refuses what a command would refuse later, and says when nothing
// reads a setting.
func (s *session) checkSetting(section, name, value string) error {
	full := section + "." + name
	if full == settingOutput && value != "" {
		output := s.global.output
		if err := output.Set(value); err != nil {
			return fmt.Errorf("'%s' is not a valid value for '%s'; %w", value, full, err)
		}
	}
	if !slices.Contains(knownSettings(), full) {
		s.warnf("No command reads '%s'. Those that are read: %s.", full, strings.Join(knownSettings(), ", "))
	}
	return nil
}

// sectionsOf turns lists of entries into a printable object.
func sectionsOf(all map[string][]any) map[string]any {
	object := map[string]any{}
	for _, section := range slices.Sorted(maps.Keys(all)) {
		object[section] = all[section]
	}
	return object
}
