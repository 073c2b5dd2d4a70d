package resources

import (
	"context"
	"slices"
	"strings"

	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/catalog"
)

// location is a place on the wire (Microsoft.Resources 2022-12-01, Location).
type location struct {
	ID                  string           `json:"id"`
	Name                string           `json:"name"`
	Type                string           `json:"type"`
	DisplayName         string           `json:"displayName"`
	RegionalDisplayName string           `json:"regionalDisplayName"`
	Metadata            locationMetadata `json:"metadata"`
}

type locationMetadata struct {
	RegionType     string `json:"regionType"`
	RegionCategory string `json:"regionCategory"`
}

func (h *handlers) listLocations(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionReadLocations, req.ID); err != nil {
		return nil, err
	}
	var list []location
	for _, l := range locationsOf(h.catalog()) {
		name := strings.ToLower(strings.ReplaceAll(l, " ", ""))
		list = append(list, location{
			ID: req.ID.String() + "/locations/" + name, Name: name, Type: "Region", DisplayName: l, RegionalDisplayName: l,
			Metadata: locationMetadata{RegionType: "Physical", RegionCategory: "Recommended"},
		})
	}
	return arm.AnswerList(list, ""), nil
}

// locationsOf lists every location that the catalog names, once.
func locationsOf(c *catalog.Catalog) []string {
	var all []string
	for _, k := range c.Kinds() {
		for _, l := range k.Locations() {
			same := func(other string) bool {
				return strings.EqualFold(strings.ReplaceAll(l, " ", ""), strings.ReplaceAll(other, " ", ""))
			}
			if !slices.ContainsFunc(all, same) {
				all = append(all, l)
			}
		}
	}
	return all
}
