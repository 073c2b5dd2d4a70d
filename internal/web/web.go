// Package web is the plumbing between a listener and a surface: TLS, limits and
// timeouts, the facts of a request, recovery from panics, one log line for each
// request, and JSON bodies.
//
// It refuses to know any surface: it writes no error of its own making where a
// surface can, decides nothing about who may do what, and routes nothing.
package web

import (
	"context"
	"errors"
	"net/http"
)

// statusClientGone is what the log says of a request whose client hung up
// before there was an answer. Nobody receives it.
const statusClientGone = 499

// HandlerFunc answers a request, or returns why it did not. A handler that
// returns an error has written nothing.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// ErrorFunc turns an error into an answer in the dialect of one surface.
type ErrorFunc func(w http.ResponseWriter, r *http.Request, err error)

// Handle joins a handler to its surface's errors. An error that comes after the
// answer has begun cuts the connection, so that half an answer is not taken for
// a whole one.
func Handle(h HandlerFunc, onError ErrorFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		note := Note(r)
		note.err = err
		switch {
		case note.started:
			note.cut = r.Context().Err() == nil
			panic(http.ErrAbortHandler)
		case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
			w.WriteHeader(statusClientGone)
		default:
			onError(w, r, err)
		}
	})
}
