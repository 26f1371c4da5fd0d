package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// account is one account's settings and state. Exported fields are the
// snapshot; mu guards them all.
type account struct {
	mu        sync.Mutex
	Settings  Account
	Tokens    map[string]*tokenPair // "classic", "stable"
	Forced    []time.Time           // forced refreshes of the last day
	Used      map[string]*usage     // by path
	Materials map[string]*material  // by media_id
	Counts    map[string]int        // of materials, by kind
	Drafts    map[string]*draft     // by media_id
	Jobs      map[string]*job       // by publish_id or msg_id
	ClientIDs map[string]clientID   // by clientmsgid
	Messages  map[string]*message   // published, by article_id
	Order     []string              // article_ids, oldest first
	Stream    []note                // what the phone received, oldest first
	Ledger    []Accepted
	Visits    map[string]time.Time // who had the mini-program open, by openid
	MassDays  map[string]int       // sends to all, by day and by month
	Serial    int64                // of ids
	People    map[string]bool      // openids beside the phone's, and whether they follow
	Grants    map[string]int       // accepted messages left, by "openid template"
	Received  []Received           // messages, oldest first

	refs   map[string]time.Time // client_msg_id, by "openid ref"
	counts map[string]int       // of messages, by "openid page"
	total  int                  // of messages
}

func newAccount(appid string) *account {
	a := &account{Settings: Account{AppID: appid}}
	a.fill()
	return a
}

// fill makes the maps that an empty or old snapshot lacks.
func (a *account) fill() {
	makeMap(&a.Tokens)
	makeMap(&a.Used)
	makeMap(&a.Materials)
	makeMap(&a.Counts)
	makeMap(&a.Drafts)
	makeMap(&a.Jobs)
	makeMap(&a.ClientIDs)
	makeMap(&a.Messages)
	makeMap(&a.MassDays)
	makeMap(&a.People)
	makeMap(&a.Grants)
	makeMap(&a.Visits)
}

func makeMap[K comparable, V any](m *map[K]V) {
	if *m == nil {
		*m = map[K]V{}
	}
}

// settings is a copy for use without the lock.
func (a *account) settings() Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.Settings
	c.Deny, c.Whitelist, c.OAuthDomains = slices.Clone(c.Deny), slices.Clone(c.Whitelist), slices.Clone(c.OAuthDomains)
	return c
}

// serial counts ids of the account. Call with mu held.
func (a *account) serial() int64 {
	a.Serial++
	return a.Serial
}

// mediaID makes an id like the platform's: 64 characters of base64url look.
// Call with mu held.
func (a *account) mediaID(kind string) string {
	n := strconv.FormatInt(a.serial(), 10)
	return digest(kind, a.Settings.AppID, n) + digest("tail", a.Settings.AppID, n)[:32-len(n)] + n
}

// openID is the openid of the follower whose phone is shown.
func (a *account) openID() string { return "o" + digest("openid", a.Settings.AppID)[:27] }

// digest is 32 hex digits of the parts.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// note is one thing the phone received or sent.
type note struct {
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"` // "mass", "preview", "out" (follower wrote), "in" (account answered)
	Text      string    `json:"text,omitempty"`
	ArticleID string    `json:"article_id,omitempty"`
	Cards     []card    `json:"cards,omitempty"`
}

// card is what a phone shows of an article.
type card struct {
	Index   int    `json:"index"`
	Title   string `json:"title"`
	Author  string `json:"author"`
	Digest  string `json:"digest"`
	Cover   string `json:"cover"` // path of the picture on this server
	Type    string `json:"type"`
	URL     string `json:"url"`
	Deleted bool   `json:"deleted"`
}

// Accepted is one accepted publish or mass send: the ledger that proves
// "exactly once".
type Accepted struct {
	At          time.Time `json:"at"`
	AppID       string    `json:"appid"`
	Kind        string    `json:"kind"` // "publish" or "mass"
	ID          string    `json:"id"`   // publish_id or msg_id
	MediaID     string    `json:"media_id"`
	Hash        string    `json:"hash"` // of the draft's articles
	Title       string    `json:"title"`
	Articles    int       `json:"articles"`
	ClientMsgID string    `json:"clientmsgid,omitempty"`
	Answered    bool      `json:"answered"` // false: a fault kept the answer back
}

// Ledger lists what was accepted for an account, or for all when appid is "".
func (s *Sandbox) Ledger(appid string) []Accepted {
	list := []Accepted{}
	for _, a := range s.all() {
		a.mu.Lock()
		if appid == "" || a.Settings.AppID == appid {
			list = append(list, a.Ledger...)
		}
		a.mu.Unlock()
	}
	return list
}
