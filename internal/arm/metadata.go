package arm

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey"
)

// cloudName is what clients call this cloud.
const cloudName = "Twinkey"

// Where the shape of the metadata changes.
const (
	metadataStack  = "1.0"        // asked for by Add-AzEnvironment alone
	metadataOldest = "2015-01-01" // the same shape
	metadataList   = "2019-05-01" // from here a list of clouds
	metadataObject = "2022-09-01" // from here one cloud
)

// stackMetadata is the first shape. Those who still read it cannot sign in at a
// private Entra-shaped authority, so it names the ADFS-shaped one.
type stackMetadata struct {
	GalleryEndpoint string              `json:"galleryEndpoint"`
	GraphEndpoint   string              `json:"graphEndpoint"`
	PortalEndpoint  string              `json:"portalEndpoint"`
	Authentication  stackAuthentication `json:"authentication"`
}

type stackAuthentication struct {
	LoginEndpoint string   `json:"loginEndpoint"`
	Audiences     []string `json:"audiences"`
}

// cloudMetadata is the second and third shape. Clients require fields for
// services that are not here; those name this server, or a domain that cannot
// exist.
type cloudMetadata struct {
	Name                     string            `json:"name"`
	Portal                   string            `json:"portal"`
	Authentication           authentication    `json:"authentication"`
	GraphAudience            string            `json:"graphAudience"`
	Graph                    string            `json:"graph"`
	MicrosoftGraphResourceID string            `json:"microsoftGraphResourceId,omitempty"`
	ResourceManager          string            `json:"resourceManager"`
	Gallery                  string            `json:"gallery"`
	Batch                    string            `json:"batch"`
	SQLManagement            string            `json:"sqlManagement"`
	Media                    string            `json:"media"`
	VMImageAliasDoc          string            `json:"vmImageAliasDoc"`
	ActiveDirectoryDataLake  string            `json:"activeDirectoryDataLake"`
	Suffixes                 map[string]string `json:"suffixes"`
}

type authentication struct {
	LoginEndpoint    string   `json:"loginEndpoint"`
	Audiences        []string `json:"audiences"`
	Tenant           string   `json:"tenant"`
	IdentityProvider string   `json:"identityProvider"`
}

// metadataRoute serves what clients ask first, before anybody has signed in.
func metadataRoute(publicURL string) Route {
	return Route{
		Method:  http.MethodGet,
		Pattern: "/metadata/endpoints",
		Public:  true,
		Handle: func(_ context.Context, req *Request) (*Response, error) {
			version := req.Query.Get("api-version")
			if version == metadataStack {
				return Answer(http.StatusOK, stackOf(publicURL)), nil
			}
			version, err := checkVersion(req.Query)
			if err != nil {
				if twinkey.KindOf(err) == twinkey.InvalidAPIVersion {
					err = invalidVersion(req.Query.Get("api-version"), []string{metadataObject, "2020-06-01", metadataList, metadataOldest, metadataStack})
				}
				return nil, err
			}
			return Answer(http.StatusOK, metadataOf(publicURL, version)), nil
		},
	}
}

// metadataOf is the metadata in the shape of a version; versions are dates and
// compare as text.
func metadataOf(publicURL, version string) any {
	switch {
	case version < metadataList:
		return stackOf(publicURL)
	case version < metadataObject:
		return []cloudMetadata{cloudOf(publicURL)}
	}
	return cloudOf(publicURL)
}

func stackOf(publicURL string) stackMetadata {
	root := publicURL + "/"
	return stackMetadata{
		GalleryEndpoint: root, GraphEndpoint: root, PortalEndpoint: root + "portal/",
		Authentication: stackAuthentication{LoginEndpoint: publicURL + "/adfs", Audiences: []string{root}},
	}
}

func cloudOf(publicURL string) cloudMetadata {
	root := publicURL + "/"
	return cloudMetadata{
		Name:           cloudName,
		Portal:         root + "portal/",
		Authentication: authentication{LoginEndpoint: publicURL, Audiences: []string{root}, Tenant: "common", IdentityProvider: "AAD"},
		GraphAudience:  root, Graph: root, MicrosoftGraphResourceID: root,
		ResourceManager: root, Gallery: root, Batch: root, SQLManagement: root, Media: publicURL,
		VMImageAliasDoc: root + "aliases.json", ActiveDirectoryDataLake: root,
		Suffixes: map[string]string{
			"storage":                             "core.twinkey.invalid",
			"keyVaultDns":                         "vault.twinkey.invalid",
			"sqlServerHostname":                   "database.twinkey.invalid",
			"acrLoginServer":                      "azurecr.twinkey.invalid",
			"azureDataLakeStoreFileSystem":        "adls.twinkey.invalid",
			"azureDataLakeAnalyticsCatalogAndJob": "adla.twinkey.invalid",
		},
	}
}
