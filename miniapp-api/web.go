package miniapp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/errs"
	"tongxin/member/signin"
)

// The state of an authorisation is bound to the browser that began it by a
// cookie, so that nobody can be signed in as somebody else by a link.
const (
	stateCookie = "txm-state"
	stateAge    = 10 * time.Minute
)

// startWeb sends the browser to WeChat. back is a page of ours to come back to.
func (h *sessions) startWeb(c *fiber.Ctx) error {
	back := strings.TrimPrefix(strings.TrimPrefix(c.Query("back"), "/m/"), "#")
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || len(back) > 300 {
		back = ""
	}
	var b [32]byte
	if _, err := io.ReadFull(h.d.Random, b[:]); err != nil {
		return err
	}
	secret := base64.RawURLEncoding.EncodeToString(b[:])
	to, err := h.d.SignIn.WebURL(c.UserContext(), h.d.PublicURL+sessionPath+"/oauth/callback", stateOf(secret))
	if err != nil {
		return err
	}
	// Lax: the way back from WeChat is a navigation from another site.
	c.Cookie(&fiber.Cookie{
		Name: stateCookie, Value: secret + "." + base64.RawURLEncoding.EncodeToString([]byte(back)), Path: sessionPath + "/oauth",
		HTTPOnly: true, Secure: h.https, SameSite: fiber.CookieSameSiteLaxMode, Expires: h.d.Clock.Now().Add(stateAge),
	})
	return c.Redirect(to, http.StatusFound)
}

// stateOf is what WeChat carries back: letters and figures only, as it asks for.
func stateOf(secret string) string {
	sum := sha256.Sum256([]byte("state " + secret))
	return hex.EncodeToString(sum[:])
}

// finishWeb is where WeChat sends the browser back to: signed in, the page
// finds its refresh cookie; unknown, the page asks for an invite code.
func (h *sessions) finishWeb(c *fiber.Ctx) error {
	secret, coded, _ := strings.Cut(c.Cookies(stateCookie), ".")
	c.Cookie(&fiber.Cookie{Name: stateCookie, Path: sessionPath + "/oauth", HTTPOnly: true, Secure: h.https, Expires: time.Unix(1, 0)})
	if len(secret) != 43 || subtle.ConstantTimeCompare([]byte(stateOf(secret)), []byte(c.Query("state"))) != 1 || c.Query("code") == "" {
		return h.page(c, "/pages/bind/index", url.Values{"error": {string(errs.Unauthorized)}})
	}
	out, err := h.d.SignIn.ByWeb(c.UserContext(), c.Query("code"), signin.Device{Client: signin.H5})
	var told *errs.Error
	if errors.As(err, &told) && told.Code != errs.Internal {
		// A person is looking. The page has a sentence for each code: text out of an
		// address could be anybody's.
		return h.page(c, "/pages/bind/index", url.Values{"error": {string(told.Code)}})
	}
	if err != nil {
		return err
	}
	if out.Ticket != "" {
		return h.page(c, "/pages/bind/index", url.Values{"ticket": {out.Ticket}})
	}
	c.Cookie(h.cookie(out.Tokens.Refresh, out.Tokens.ExpiresAt))
	back, err := base64.RawURLEncoding.DecodeString(coded)
	if err != nil || len(back) == 0 {
		back = []byte("/pages/index/index")
	}
	return c.Redirect("/m/#"+string(back), http.StatusFound)
}

func (h *sessions) page(c *fiber.Ctx, path string, q url.Values) error {
	return c.Redirect("/m/#"+path+"?"+q.Encode(), http.StatusFound)
}
