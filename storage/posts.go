package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/publish"
)

const postCols = `p.id, p.org_id, o.path, o.name, p.title, p.state, p.version, p.hash, p.author_id, p.author_name, p.editors,
	p.level, p.levels, p.review_due, p.approved_hash, p.due_at, p.created_at, p.updated_at, p.updated_by`

func scanPost(r Scanner, more ...any) (publish.Post, error) {
	var p publish.Post
	err := r.Scan(append([]any{
		&p.ID, &p.OrgID, &p.OrgPath, &p.OrgName, &p.Title, &p.State, &p.Version, &p.Hash, &p.AuthorID,
		&p.AuthorName,
		jsonText{&p.Editors},
		&p.Level, &p.Levels,
		moment{&p.ReviewDue},
		&p.ApprovedHash,
		moment{&p.DueAt},
		moment{&p.CreatedAt},
		moment{&p.UpdatedAt},
		&p.UpdatedBy,
	}, more...)...)
	return p, err
}

// Post implements publish.PostStore.
func (s *Publishing) Post(ctx context.Context, id ids.ID) (*publish.Post, error) {
	p, err := One(ctx, s.db, func(r Scanner) (publish.Post, error) {
		var c publish.Content
		p, err := scanPost(r, jsonText{&c})
		p.Content = c
		return p, err
	}, errs.Missing("图文"), `SELECT `+postCols+`, c.body FROM posts p JOIN orgs o ON o.id = p.org_id
		JOIN contents c ON c.hash = p.hash WHERE p.id = ?`, id)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// PostHead implements publish.PostStore.
func (s *Publishing) PostHead(ctx context.Context, id ids.ID) (*publish.Post, int, error) {
	articles := 0
	p, err := One(ctx, s.db, func(r Scanner) (publish.Post, error) { return scanPost(r, &articles) },
		errs.Missing("图文"), `SELECT `+postCols+`, p.articles FROM posts p JOIN orgs o ON o.id = p.org_id WHERE p.id = ?`, id)
	if err != nil {
		return nil, 0, err
	}
	return &p, articles, nil
}

// CreatePost implements publish.PostStore.
func (s *Publishing) CreatePost(ctx context.Context, p *publish.Post, e trail.Entry) (ids.ID, error) {
	s.fill(&p.ID)
	c, err := newContent(p.Content, p.Hash)
	if err != nil {
		return 0, err
	}
	id := p.ID
	err = s.db.Write(ctx, func(tx *Tx) error {
		made, seen, err := tx.Once(e.Actor, p.ID)
		if id = made; err != nil || seen {
			return err
		}
		if err := c.put(tx); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO posts (id, org_id, title, state, version, hash, sim, articles, cover, author_id, author_name,
			editors, level, levels, review_due, approved_hash, due_at, created_at, updated_at, updated_by)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			p.ID, p.OrgID, p.Title, string(p.State), p.Version, p.Hash, int64(p.Sim), len(p.Content.Articles), coverOf(p.Content), p.AuthorID,
			p.AuthorName, jsonText{p.Editors}, p.Level, p.Levels, Millis(p.ReviewDue), p.ApprovedHash, Millis(p.DueAt),
			Millis(p.CreatedAt), Millis(p.UpdatedAt), p.UpdatedBy)
		if err != nil {
			return err
		}
		if err := insertRevision(tx, &publish.Revision{
			PostID: p.ID, Version: p.Version, Hash: p.Hash, Title: p.Title,
			AuthorName: p.AuthorName, At: p.UpdatedAt,
		}); err != nil {
			return err
		}
		tx.Audit(e)
		return nil
	})
	return id, err
}

// DeletePost implements publish.PostStore. The sweep takes the contents later.
func (s *Publishing) DeletePost(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		// The post goes first: a Commit that adds a delivery compares its version.
		err := swap(tx, "posts", id, "图文", `DELETE FROM posts WHERE id = ? AND version = ?`, id, expect)
		if err != nil {
			return err
		}
		n, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM deliveries WHERE post_id = ?`, id)
		if err != nil {
			return err
		}
		if n > 0 {
			return errs.New(errs.Conflict, "这篇图文有发布记录，不能删除；发布记录需要留存备查。")
		}
		for _, table := range []string{"revisions", "reviews", "comments"} {
			if _, err := tx.Exec("DELETE FROM "+table+" WHERE post_id = ?", id); err != nil {
				return err
			}
		}
		tx.Audit(e)
		return nil
	})
}

// content is a post's content on its way to the table contents.
type content struct {
	hash, body string
	assets     []string
}

// newContent refuses a hash that is not the content's own: approvals are bound to it.
func newContent(c publish.Content, hash string) (*content, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "图文内容中有无法保存的数字，请检查封面裁剪范围。")
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != hash {
		return nil, errs.Wrap(errors.New("storage: the hash is not the content's"), errs.Internal, "系统内部出错，请稍后再试。")
	}
	return &content{hash: hash, body: string(body), assets: assetsOf(c)}, nil
}

// put stores the content unless it is there, and marks it used: that row lock
// and date keep the sweep away until the caller has committed what names it.
func (c *content) put(tx *Tx) error {
	res, err := tx.Exec(`UPDATE contents SET used_at = ? WHERE hash = ?`, Millis(tx.Now), c.hash)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	fresh, err := tx.Insert(`INSERT INTO contents (hash, body, used_at) VALUES (?, ?, ?)`, c.hash, c.body, Millis(tx.Now))
	if err != nil || !fresh {
		return err
	}
	for _, asset := range c.assets {
		if _, err := tx.Insert(`INSERT INTO content_assets (asset, content) VALUES (?, ?)`, asset, c.hash); err != nil {
			return err
		}
	}
	return nil
}

// assetsOf lists the pictures that a content refers to, once each: those that
// publishing would show, and whatever else looks like one, since what does not
// render today may after an edit.
func assetsOf(c publish.Content) []string {
	var out []string
	seen := map[string]bool{}
	add := func(hash string) {
		hash = strings.TrimPrefix(hash, "asset:")
		if len(hash) == 64 && !seen[hash] {
			seen[hash] = true
			out = append(out, hash)
		}
	}
	for _, a := range c.Articles {
		add(a.Cover.Asset)
		for _, h := range a.Images {
			add(h)
		}
		parts := strings.Split(a.Body, "asset:")
		for _, rest := range parts[1:] {
			n := 0
			for n < len(rest) && n < 64 && strings.IndexByte("0123456789abcdef", rest[n]) >= 0 {
				n++
			}
			add(rest[:n])
		}
	}
	for _, hash := range c.Library() {
		add(hash)
	}
	return out
}

func coverOf(c publish.Content) string {
	if len(c.Articles) == 0 {
		return ""
	}
	cover := strings.TrimPrefix(c.Articles[0].Cover.Asset, "asset:")
	if cover == "" && len(c.Articles[0].Images) > 0 {
		cover = strings.TrimPrefix(c.Articles[0].Images[0], "asset:")
	}
	return cover
}
