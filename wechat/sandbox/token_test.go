package sandbox

import "testing"

func TestTokensOfTwoAccountsDifferAlsoWithOneSecret(t *testing.T) {
	box, err := New(Config{Accounts: []Account{{AppID: "wx00000000000000a1", Secret: "same"}, {AppID: "wx00000000000000a2", Secret: "same"}}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, app := range []string{"wx00000000000000a1", "wx00000000000000a2"} {
		a := box.account(app)
		a.mu.Lock()
		res := box.issue(a, "stable", "new")
		a.mu.Unlock()
		value, _ := res.fields["access_token"].(string)
		if value == "" || seen[value] {
			t.Fatalf("token %q of %s is empty or belongs to the other account", value, app)
		}
		seen[value] = true
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
}
