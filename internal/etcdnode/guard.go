package etcdnode

import (
	"context"
	"runtime/debug"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// guard is a client.KV whose calls end when their context does and when the
// member dies. The member's own do not: what etcd calls fatal ends a goroutine
// that may hold the locks others wait for.
type guard struct {
	clientv3.KV // for what the project does not call
	node        *Node
}

// answer is what a call returns.
type answer[T any] struct {
	value T
	err   error
}

// guarded makes a call that may never return.
func guarded[T any](ctx context.Context, n *Node, call func() (T, error)) (T, error) {
	var none T
	if err := n.Err(); err != nil {
		return none, err
	}
	done := make(chan answer[T], 1)
	go func() {
		defer n.survive()
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a page that is not in the file any more
		value, err := call()
		done <- answer[T]{value, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-n.dead:
		return none, n.why
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// Get implements clientv3.KV.
func (g guard) Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	return guarded(ctx, g.node, func() (*clientv3.GetResponse, error) { return g.KV.Get(ctx, key, opts...) })
}

// Put implements clientv3.KV.
func (g guard) Put(ctx context.Context, key, value string, opts ...clientv3.OpOption) (*clientv3.PutResponse, error) {
	return guarded(ctx, g.node, func() (*clientv3.PutResponse, error) { return g.KV.Put(ctx, key, value, opts...) })
}

// Delete implements clientv3.KV.
func (g guard) Delete(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.DeleteResponse, error) {
	return guarded(ctx, g.node, func() (*clientv3.DeleteResponse, error) { return g.KV.Delete(ctx, key, opts...) })
}

// Compact implements clientv3.KV.
func (g guard) Compact(ctx context.Context, revision int64, opts ...clientv3.CompactOption) (*clientv3.CompactResponse, error) {
	return guarded(ctx, g.node, func() (*clientv3.CompactResponse, error) { return g.KV.Compact(ctx, revision, opts...) })
}

// Do implements clientv3.KV.
func (g guard) Do(ctx context.Context, op clientv3.Op) (clientv3.OpResponse, error) {
	return guarded(ctx, g.node, func() (clientv3.OpResponse, error) { return g.KV.Do(ctx, op) })
}

// Txn implements clientv3.KV.
func (g guard) Txn(ctx context.Context) clientv3.Txn {
	return guardedTxn{txn: g.KV.Txn(ctx), node: g.node, ctx: ctx}
}

// guardedTxn holds the context of its transaction, as etcd's own does.
type guardedTxn struct {
	txn  clientv3.Txn
	node *Node
	ctx  context.Context
}

// If implements clientv3.Txn.
func (t guardedTxn) If(cs ...clientv3.Cmp) clientv3.Txn {
	t.txn = t.txn.If(cs...)
	return t
}

// Then implements clientv3.Txn.
func (t guardedTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	t.txn = t.txn.Then(ops...)
	return t
}

// Else implements clientv3.Txn.
func (t guardedTxn) Else(ops ...clientv3.Op) clientv3.Txn {
	t.txn = t.txn.Else(ops...)
	return t
}

// Commit implements clientv3.Txn.
func (t guardedTxn) Commit() (*clientv3.TxnResponse, error) {
	return guarded(t.ctx, t.node, t.txn.Commit)
}
