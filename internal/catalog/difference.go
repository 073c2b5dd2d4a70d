package catalog

import "reflect"

// Difference names the kinds in which two catalogs differ, each list in the
// order of its file.
type Difference struct {
	Added   []string
	Removed []string
	Changed []string // in anything, a secret among it
}

// Since says what c has that old had not.
func (c *Catalog) Since(old *Catalog) Difference {
	var d Difference
	for _, k := range c.kinds {
		before, ok := old.Kind(k.name)
		switch {
		case !ok:
			d.Added = append(d.Added, k.name)
		case !reflect.DeepEqual(k, before):
			d.Changed = append(d.Changed, k.name)
		}
	}
	for _, k := range old.kinds {
		if _, ok := c.Kind(k.name); !ok {
			d.Removed = append(d.Removed, k.name)
		}
	}
	return d
}
