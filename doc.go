// Package twinkey holds the words the product is made of: key names, secrets,
// digests, revisions, resource ids, callers, errors, and the messages that pass
// between the hub and a gateway.
//
// It refuses to do anything with them: no I/O, no clock, no policy, and nothing
// outside the standard library.
package twinkey
