package cli

import "github.com/spf13/cobra"

// newAdmin is what an administrator of the server does most often, in few words.
// The Azure CLI has nothing like it.
func newAdmin(s *session) *cobra.Command {
	user := branch(&cobra.Command{Use: "user", Short: "Manage who may sign in."},
		newAdminUserCreate(s), newAdminUserList(s), newAdminUserSwitch(s, "disable", false), newAdminUserSwitch(s, "enable", true),
		newAdminUserReset(s), newAdminUserDelete(s))
	subscription := branch(&cobra.Command{Use: "subscription", Short: "Manage subscriptions."},
		newAdminSubscriptionCreate(s), newAdminSubscriptionRename(s),
		newAdminSubscriptionSwitch(s, "disable", "cancel"), newAdminSubscriptionSwitch(s, "enable", "enable"))
	return branch(&cobra.Command{Use: "admin", Short: "Manage the server's users and subscriptions."}, user, subscription)
}
