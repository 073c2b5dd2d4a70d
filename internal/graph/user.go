package graph

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// user is a user on the wire (Microsoft Graph v1.0, "user resource type").
type user struct {
	odata
	ID                string   `json:"id"`
	DisplayName       string   `json:"displayName"`
	UserPrincipalName string   `json:"userPrincipalName"`
	MailNickname      string   `json:"mailNickname"`
	AccountEnabled    bool     `json:"accountEnabled"`
	UserType          string   `json:"userType"`
	CreatedDateTime   *string  `json:"createdDateTime"`
	BusinessPhones    []string `json:"businessPhones"`
	GivenName         *string  `json:"givenName"`
	JobTitle          *string  `json:"jobTitle"`
	Mail              *string  `json:"mail"`
	MobilePhone       *string  `json:"mobilePhone"`
	OfficeLocation    *string  `json:"officeLocation"`
	PreferredLanguage *string  `json:"preferredLanguage"`
	Surname           *string  `json:"surname"`
}

// users is the collection.
func (s *surface) users() *collection {
	return &collection{
		surface: s, name: "users", kind: twinkey.User, unique: []string{"userprincipalname"}, show: userOf,
		values: func(rec directory.Record) map[string][]string {
			return map[string][]string{
				"id": {rec.ObjectID}, "userprincipalname": {rec.Name}, "displayname": {rec.DisplayName}, "mailnickname": {nickname(rec)},
			}
		},
	}
}

func userOf(rec directory.Record, o odata) any {
	return user{
		odata: o, ID: rec.ObjectID, DisplayName: rec.DisplayName, UserPrincipalName: rec.Name, MailNickname: nickname(rec),
		AccountEnabled: !rec.Disabled, UserType: "Member", CreatedDateTime: timestamp(rec.Created), BusinessPhones: []string{},
	}
}

// me shows whoever calls. An application is nobody's self (Microsoft Graph,
// "Get a user").
func (s *surface) me(ctx context.Context, req *request) (int, any, error) {
	if req.who.Type != twinkey.User {
		return 0, nil, withCode("BadRequest", twinkey.Errorf(twinkey.Invalid, "/me request is only valid with delegated authentication flow."))
	}
	rec, err := s.directory.Get(ctx, req.who.Tenant, req.who.ObjectID)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, userOf(rec, s.entity("users")), nil
}

// userBody is what a caller may say about a user.
type userBody struct {
	AccountEnabled    *bool            `json:"accountEnabled"`
	DisplayName       string           `json:"displayName"`
	MailNickname      string           `json:"mailNickname"`
	UserPrincipalName string           `json:"userPrincipalName"`
	PasswordProfile   *passwordProfile `json:"passwordProfile"`
}

type passwordProfile struct {
	Password  *string `json:"password"`
	MustReset bool    `json:"forceChangePasswordNextSignIn"`
}

// password checks the profile; the zero secret is none.
func (b userBody) password() (twinkey.Secret, error) {
	if b.PasswordProfile == nil {
		return twinkey.Secret{}, nil
	}
	if b.PasswordProfile.MustReset {
		return twinkey.Secret{}, twinkey.Errorf(twinkey.Unsupported, "Passwords that must be changed at the next sign-in are not supported. Set forceChangePasswordNextSignIn to false.")
	}
	if b.PasswordProfile.Password == nil {
		return twinkey.Secret{}, nil
	}
	if *b.PasswordProfile.Password == "" {
		return twinkey.Secret{}, required("passwordProfile.password")
	}
	return twinkey.NewSecret(*b.PasswordProfile.Password), nil
}

func (s *surface) createUser(ctx context.Context, req *request) (int, any, error) {
	var body userBody
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	password, err := body.password()
	if err != nil {
		return 0, nil, err
	}
	switch {
	case body.AccountEnabled == nil:
		return 0, nil, required("accountEnabled")
	case body.DisplayName == "":
		return 0, nil, required("displayName")
	case body.UserPrincipalName == "":
		return 0, nil, required("userPrincipalName")
	case password.IsZero():
		return 0, nil, required("passwordProfile.password")
	}
	created, err := s.directory.CreateUser(ctx, req.who, directory.NewUser{
		Tenant: req.who.Tenant, Name: body.UserPrincipalName, DisplayName: body.DisplayName, Nickname: body.MailNickname,
		Password: password, Disabled: !*body.AccountEnabled,
	})
	if twinkey.KindOf(err) == twinkey.NameTaken {
		err = twinkey.Wrap(err, twinkey.NameTaken, "Another object with the same value for property userPrincipalName already exists.")
	}
	if err != nil {
		return 0, nil, err
	}
	return s.createdObject(ctx, req, created.ObjectID, s.users())
}

func (s *surface) updateUser(ctx context.Context, req *request) (int, any, error) {
	var body userBody
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	password, err := body.password()
	if err != nil {
		return 0, nil, err
	}
	rec, err := s.users().find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	if body.UserPrincipalName != "" && body.UserPrincipalName != rec.Name {
		return 0, nil, twinkey.Errorf(twinkey.Unsupported, "The userPrincipalName of a user cannot be changed. Create another user.")
	}
	return s.updated(ctx, req, rec, directory.Update{DisplayName: body.DisplayName, Nickname: body.MailNickname, Enabled: body.AccountEnabled, Password: password})
}

// createdObject answers with what has just been created.
func (s *surface) createdObject(ctx context.Context, req *request, oid string, c *collection) (int, any, error) {
	rec, err := s.directory.Get(ctx, req.who.Tenant, oid)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, c.show(rec, s.entity(c.name)), nil
}

// updated changes a principal.
func (s *surface) updated(ctx context.Context, req *request, rec directory.Record, u directory.Update) (int, any, error) {
	if _, err := s.directory.Update(ctx, req.who, rec.Tenant, rec.ObjectID, u); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

func required(property string) error {
	return twinkey.Errorf(twinkey.Invalid, "A value is required for property '%s' of resource.", property)
}

func nickname(rec directory.Record) string {
	if rec.Nickname == "" && rec.Type == twinkey.User {
		local, _, _ := strings.Cut(rec.Name, "@")
		return local
	}
	return rec.Nickname
}

// timestamp is a moment on the wire, null for the zero time.
func timestamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339)
	return &text
}
