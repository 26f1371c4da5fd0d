package staff_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/seal"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

const password = "春眠不觉晓 处处闻啼鸟"

// node is one process with its own memory; nodes of a test share a database.
type node struct {
	*staff.Service
	t     *testing.T
	db    *storage.DB
	clock *clock.Manual
	store *counting
	root  *staff.Org
}

// counting counts writes of the hot path.
type counting struct {
	*storage.Staff
	touches atomic.Int64
	loads   atomic.Int64
	between func() // what happens after the next look at failures
}

func (c *counting) Failures(ctx context.Context, names []string) ([]staff.Failure, error) {
	out, err := c.Staff.Failures(ctx, names)
	if f := c.between; f != nil {
		c.between = nil
		f()
	}
	return out, err
}

func (c *counting) TouchSession(ctx context.Context, id ids.ID, at time.Time) error {
	c.touches.Add(1)
	return c.Staff.TouchSession(ctx, id, at)
}

func (c *counting) Session(ctx context.Context, hash string) (*staff.Session, *staff.Account, error) {
	c.loads.Add(1)
	return c.Staff.Session(ctx, hash)
}

func start(t *testing.T, p staff.Policy) *node {
	c := clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	db := storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/x.db", Clock: c})
	n := join(t, db, c, p)
	root, err := n.CreateOrg(t.Context(), sys(), staff.OrgInput{Kind: staff.Committee, Name: "市委宣传部"})
	check(t, err)
	n.root = root
	return n
}

func join(t *testing.T, db *storage.DB, c *clock.Manual, p staff.Policy) *node {
	box, err := seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{3}, seal.MinSecret)})
	check(t, err)
	if p.Hash == (staff.HashParams{}) {
		p.Hash = staff.HashParams{MemoryKiB: 32, Passes: 1, Threads: 1}
	}
	store := &counting{Staff: storage.NewStaff(db)}
	svc, err := staff.New(staff.Config{
		Store: store, IDs: db.IDs(), Clock: c, Random: rand.Reader, Sealer: box, CSRFKey: bytes.Repeat([]byte{1}, 32), Policy: p, Issuer: "同心",
		Roles: []staff.Role{
			{Name: "admin", Rights: []authz.Right{staff.OrgRead, staff.OrgManage, staff.StaffRead, staff.StaffManage}, SecondFactor: true},
			{Name: "reader", Rights: []authz.Right{staff.OrgRead}},
		},
	})
	check(t, err)
	return &node{Service: svc, t: t, db: db, clock: c, store: store}
}

func sys() *authz.Actor { return authz.SystemActor("test") }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person makes an account with a password.
func (n *node) person(login string) (*staff.Account, string) {
	n.t.Helper()
	a, invite, err := n.CreateAccount(n.t.Context(), sys(), staff.AccountInput{OrgID: n.root.ID, Login: login, Name: login},
		[]staff.RoleAt{{Role: "reader", OrgID: n.root.ID}})
	check(n.t, err)
	out, err := n.AcceptInvitation(n.t.Context(), invite, password)
	check(n.t, err)
	return a, out.Token
}

func from(t *testing.T, addr string) context.Context {
	return call.With(t.Context(), call.Info{Addr: addr})
}

func TestRaisedParametersRehashAtSignIn(t *testing.T) {
	n := start(t, staff.Policy{})
	a, _ := n.person("zhang")
	before, err := n.store.CredentialsOf(t.Context(), a.ID)
	check(t, err)
	stronger := join(t, n.db, n.clock, staff.Policy{Hash: staff.HashParams{MemoryKiB: 64, Passes: 2, Threads: 1}})
	_, err = stronger.SignIn(t.Context(), "zhang", "wrong password")
	if !errs.Is(err, errs.Unauthorized) {
		t.Fatal(err)
	}
	if c, _ := n.store.CredentialsOf(t.Context(), a.ID); c.Hash != before.Hash {
		t.Fatal("a wrong password rehashed")
	}
	_, err = stronger.SignIn(t.Context(), "zhang", password)
	check(t, err)
	after, err := n.store.CredentialsOf(t.Context(), a.ID)
	check(t, err)
	if !strings.Contains(after.Hash, "m=64,t=2") || len(after.History) != len(before.History) {
		t.Fatalf("%s %v", after.Hash, after.History)
	}
	_, err = stronger.SignIn(t.Context(), "zhang", password)
	check(t, err)
}

func TestLockoutIsByAddressFirst(t *testing.T) {
	n := start(t, staff.Policy{})
	n.person("zhang")
	for range 5 {
		if _, err := n.SignIn(from(t, "203.0.113.1"), "zhang", "wrong"); !errs.Is(err, errs.Unauthorized) {
			t.Fatal(err)
		}
	}
	if _, err := n.SignIn(from(t, "203.0.113.1"), "zhang", password); !errs.Is(err, errs.TooMany) {
		t.Fatal("not locked", err)
	}
	// The owner elsewhere is not kept out by a stranger's tries …
	_, err := n.SignIn(from(t, "203.0.113.2"), "zhang", password)
	check(t, err)
	// … until they come from very many places.
	for i := range 60 {
		_, err = n.SignIn(from(t, "198.51.100."+string(rune('a'+i%26))+string(rune('a'+i/26))), "zhang", "wrong")
	}
	if !errs.Is(err, errs.TooMany) {
		t.Fatal("a distributed guess is not locked", err)
	}
	n.clock.Add(25 * time.Hour)
	_, err = n.SignIn(from(t, "203.0.113.1"), "zhang", password)
	check(t, err)
}

func TestInvitationsExpire(t *testing.T) {
	n := start(t, staff.Policy{InviteAge: time.Hour})
	_, token, err := n.CreateAccount(t.Context(), sys(), staff.AccountInput{OrgID: n.root.ID, Login: "late", Name: "x"}, nil)
	check(t, err)
	n.clock.Add(time.Hour)
	if _, err := n.AcceptInvitation(t.Context(), token, password); !errs.Is(err, errs.Unauthorized) {
		t.Fatal(err)
	}
	if _, err := n.Invitation(t.Context(), token); !errs.Is(err, errs.Unauthorized) {
		t.Fatal(err)
	}
	if _, err := n.SignInLink(t.Context(), token); !errs.Is(err, errs.Unauthorized) {
		t.Fatal("an invitation opened a session", err)
	}
}

func TestPasswordRotation(t *testing.T) {
	n := start(t, staff.Policy{PasswordDays: 90})
	n.person("zhang")
	n.clock.Add(91 * 24 * time.Hour)
	out, err := n.SignIn(t.Context(), "zhang", password)
	check(t, err)
	l, err := n.Resolve(t.Context(), out.Token)
	check(t, err)
	if !l.PasswordDue || len(l.Actor.Grants) != 0 || l.Refusal == "" {
		t.Fatalf("%+v", l)
	}
	check(t, n.ChangePassword(t.Context(), l.Actor, l.Session.ID, password, "红军不怕远征难 万水千山"))
	if l, err = n.Resolve(t.Context(), out.Token); err != nil || l.PasswordDue || len(l.Actor.Grants) != 1 {
		t.Fatalf("%+v %v", l, err)
	}
}

func TestSessionIsRemembered(t *testing.T) {
	n := start(t, staff.Policy{})
	a, token := n.person("zhang")
	other := join(t, n.db, n.clock, staff.Policy{})
	for _, x := range []*node{n, other} {
		if l, err := x.Resolve(t.Context(), token); err != nil || l == nil {
			t.Fatal(l, err)
		}
	}
	loads := other.store.loads.Load()
	var wg sync.WaitGroup
	n.clock.Add(time.Second)
	for range 50 {
		wg.Go(func() {
			if l, err := other.Resolve(t.Context(), token); err != nil || l == nil {
				t.Error(l, err)
			}
		})
	}
	wg.Wait()
	if other.store.loads.Load() != loads || other.store.touches.Load() != 0 {
		t.Fatalf("%d loads, %d writes for 50 uses", other.store.loads.Load()-loads, other.store.touches.Load())
	}
	// A change on one node counts there at once, elsewhere within five seconds.
	_, err := n.Disable(t.Context(), sys(), a.ID)
	check(t, err)
	if l, _ := n.Resolve(t.Context(), token); l != nil {
		t.Fatal("disabled and still in")
	}
	n.clock.Add(5 * time.Second)
	if l, _ := other.Resolve(t.Context(), token); l != nil {
		t.Fatal("disabled elsewhere and still in after five seconds")
	}
}

func TestForgetIsAtOnce(t *testing.T) {
	n := start(t, staff.Policy{})
	a, token := n.person("zhang")
	other := join(t, n.db, n.clock, staff.Policy{})
	if l, err := other.Resolve(t.Context(), token); err != nil || l == nil {
		t.Fatal(l, err)
	}
	_, err := n.Disable(t.Context(), sys(), a.ID)
	check(t, err)
	other.Forget()
	if l, _ := other.Resolve(t.Context(), token); l != nil {
		t.Fatal("still in")
	}
}

func TestUseIsNotedOnceAMinute(t *testing.T) {
	n := start(t, staff.Policy{})
	_, token := n.person("zhang")
	for range 120 { // two minutes, a use a second
		n.clock.Add(time.Second)
		if l, err := n.Resolve(t.Context(), token); err != nil || l == nil {
			t.Fatal(l, err)
		}
	}
	if w := n.store.touches.Load(); w != 2 {
		t.Fatalf("%d writes in two minutes, want 2", w)
	}
	n.clock.Add(30 * time.Minute)
	if l, _ := n.Resolve(t.Context(), token); l != nil {
		t.Fatal("idle for half an hour and still in")
	}
}

func TestForgedTokens(t *testing.T) {
	n := start(t, staff.Policy{})
	_, token := n.person("zhang")
	for _, bad := range []string{"", "x", token + "x", token[:42] + "!", strings.ToUpper(token), strings.Repeat("A", 43)} {
		if l, err := n.Resolve(t.Context(), bad); l != nil || err != nil {
			t.Fatalf("%q: %v %v", bad, l, err)
		}
	}
}

func TestTreeHasAFloor(t *testing.T) {
	n := start(t, staff.Policy{})
	at := n.root
	for range staff.MaxDepth - 1 {
		o, err := n.CreateOrg(t.Context(), sys(), staff.OrgInput{ParentID: at.ID, Kind: staff.Committee, Name: "下一级"})
		check(t, err)
		at = o
	}
	if _, err := n.CreateOrg(t.Context(), sys(), staff.OrgInput{ParentID: at.ID, Kind: staff.Committee, Name: "太深"}); !errs.Is(err, errs.Invalid) {
		t.Fatal(err)
	}
	_, set, err := n.Effective(t.Context(), at.ID)
	check(t, err)
	if set != staff.DefaultSettings() {
		t.Fatalf("%+v", set)
	}
}

func TestSignInIsAudited(t *testing.T) {
	n := start(t, staff.Policy{})
	n.person("zhang")
	ctx := call.With(t.Context(), call.Info{Addr: "203.0.113.1", RequestID: "req-1", UserAgent: "test"})
	_, err := n.SignIn(ctx, "zhang", "wrong password")
	if err == nil {
		t.Fatal("in")
	}
	_, err = n.SignIn(ctx, "zhang", password)
	check(t, err)
	rows, err := n.db.AuditRows(t.Context(), storage.AuditFilter{Scope: authz.Scope{All: true}, Action: "signin.password"}, storage.AuditCursor{}, 10)
	check(t, err)
	if len(rows) != 2 || rows[0].Result != "ok" || rows[1].Result != "failed" || rows[1].Addr != "203.0.113.1" || rows[1].ActorName != "zhang" || rows[1].RequestID != "req-1" {
		t.Fatalf("%+v", rows)
	}
	l, err := n.Accounts(t.Context(), sys(), staff.AccountFilter{}, page.Request{Limit: 5})
	check(t, err)
	if len(l.Items) != 1 || l.Items[0].LastSignIn.IsZero() {
		t.Fatalf("%+v", l)
	}
}

// Guesses sent at the same moment are all counted, and the right one among
// them is worth nothing once the door is locked.
func TestGuessesAtOnce(t *testing.T) {
	n := start(t, staff.Policy{})
	n.person("zhang")
	ctx := from(t, "203.0.113.1")
	var wg sync.WaitGroup
	var told atomic.Int64
	for range 30 {
		wg.Go(func() {
			_, err := n.SignIn(ctx, "zhang", "wrong")
			switch {
			case errs.Is(err, errs.Unauthorized):
				told.Add(1)
			case !errs.Is(err, errs.TooMany):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if told.Load() != 5 { // more would tell that they were wrong, and a right one that it was not
		t.Errorf("%d guesses were judged", told.Load())
	}
	if _, err := n.SignIn(ctx, "zhang", password); !errs.Is(err, errs.TooMany) {
		t.Fatal(err)
	}
	rows, err := n.db.AuditRows(t.Context(), storage.AuditFilter{Scope: authz.Scope{All: true}, Action: "signin.password"}, storage.AuditCursor{}, 100)
	check(t, err)
	denied := 0
	for _, r := range rows {
		if r.Result == "denied" && r.ActorName == "zhang" {
			denied++
		}
	}
	if len(rows) != 31 || denied == 0 {
		t.Fatalf("%d tries in the audit, %d at the locked door; want 31 in all", len(rows), denied)
	}
}

// The same for the second factor, whose codes are few.
func TestCodesAtOnce(t *testing.T) {
	n := start(t, staff.Policy{})
	a, _ := n.person("zhang")
	ctx := from(t, "203.0.113.1")
	me := &authz.Actor{ID: a.ID, Kind: authz.Staff}
	offer, err := n.StartSecondFactor(ctx, me)
	check(t, err)
	code, err := totp.GenerateCode(offer.Secret, n.clock.Now())
	check(t, err)
	_, err = n.BindSecondFactor(ctx, me, offer.Ticket, code)
	check(t, err)
	n.clock.Add(time.Minute)
	out, err := n.SignIn(ctx, "zhang", password)
	check(t, err)
	code, err = totp.GenerateCode(offer.Secret, n.clock.Now())
	check(t, err)
	n.store.between = func() {
		for range 5 {
			if _, err := n.SignInCode(ctx, out.Ticket, "000000"); !errs.Is(err, errs.Unauthorized) {
				t.Error(err)
			}
		}
	}
	if _, err := n.SignInCode(ctx, out.Ticket, code); !errs.Is(err, errs.TooMany) {
		t.Fatal(err)
	}
}
