package staff

import (
	"context"
	"slices"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// Holder is a person who holds a right.
type Holder struct {
	ID   ids.ID
	Name string
}

// HolderStore finds people by what they may do.
type HolderStore interface {
	// Holders lists accounts that are not disabled with one of the roles on one
	// of the organisations, each once, by id.
	Holders(ctx context.Context, roles, paths []string) ([]Holder, error)
}

// Holders lists who holds right on the organisation at path, by a role there or
// above. Whoever is invited counts: what is left for them waits until they come.
func (s *Service) Holders(ctx context.Context, right authz.Right, path string) ([]Holder, error) {
	var roles []string
	for _, r := range s.cfg.Roles {
		if slices.Contains(r.Rights, right) {
			roles = append(roles, r.Name)
		}
	}
	above := upTo(path)
	if len(roles) == 0 || len(above) == 0 {
		return nil, nil
	}
	return s.cfg.Store.Holders(ctx, roles, above)
}

// upTo lists the paths of an organisation and its ancestors, the root first:
// "/1/2/" gives "/1/" and "/1/2/".
func upTo(path string) []string {
	var out []string
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			out = append(out, path[:i+1])
		}
	}
	if !strings.HasPrefix(path, "/") {
		return nil
	}
	return out
}
