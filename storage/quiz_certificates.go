package storage

import (
	"context"
	"fmt"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz/results"
)

// Promised implements results.Certificates.
func (s *Results) Promised(ctx context.Context, member ids.ID) ([]ids.ID, error) {
	list, err := All(ctx, s.db, ScanInt64, `SELECT DISTINCT p.id FROM quiz_attempts a JOIN quiz_papers p ON p.id = a.paper_id
		LEFT JOIN quiz_certificates c ON c.paper_id = a.paper_id AND c.member_id = a.member_id
		WHERE a.member_id = ? AND a.state = 'graded' AND p.certificate <> '' AND c.id IS NULL ORDER BY p.id`, member)
	out := make([]ids.ID, len(list))
	for i, id := range list {
		out[i] = ids.ID(id)
	}
	return out, err
}

// Unissued implements results.Certificates.
func (s *Results) Unissued(ctx context.Context, c results.Choice, limit int) ([]results.Standing, error) {
	q, args := standingSQL(c)
	q += ` LEFT JOIN quiz_certificates t ON t.paper_id = ? AND t.member_id = p.member_id WHERE t.id IS NULL AND p.waits = 0 AND p.score_milli >= ?`
	args = append(args, c.Paper, thousandths(c.Pass))
	if c.Member != 0 {
		q, args = q+` AND p.member_id = ?`, append(args, c.Member)
	}
	return All(ctx, s.db, scanStanding(c.Pass), q+standingOrder, append(args, limit, 0)...)
}

// Issue implements results.Certificates.
func (s *Results) Issue(ctx context.Context, list []results.Certificate, entry func(results.Certificate) trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		for _, c := range list {
			if err := tx.issue(c, entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// issue numbers and stores one certificate. The row of the counter is locked
// first, so that two issuers never meet at a number: then a clash means that the
// member has a certificate already.
func (tx *Tx) issue(c results.Certificate, entry func(results.Certificate) trail.Entry) error {
	had, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT COUNT(*) FROM quiz_certificates WHERE paper_id = ? AND member_id = ?`, c.PaperID, c.MemberID)
	if err != nil || had > 0 {
		return err
	}
	if _, err := tx.Insert(`INSERT INTO quiz_certificate_numbers (issuer_id, year, last) VALUES (?, ?, 0)`, c.IssuerID, c.Year); err != nil {
		return err
	}
	last, err := One(tx.Ctx, tx, ScanInt64, nil, `SELECT last FROM quiz_certificate_numbers WHERE issuer_id = ? AND year = ?`+tx.ForUpdate(), c.IssuerID, c.Year)
	if err != nil {
		return err
	}
	c.Seq = int(last) + 1
	c.Number = number(c.Year, c.Seq)
	fresh, err := tx.Insert(`INSERT INTO quiz_certificates (id, code, issuer_id, issuer, year, seq, title, paper_id, paper_title, attempt_id, member_id,
		name, org_name, earned_at, issued_at, revoked_at, revoked_by, reason, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', '', ?)`,
		c.ID, c.Code, c.IssuerID, c.Issuer, c.Year, c.Seq, c.Title, c.PaperID, c.PaperTitle, c.AttemptID, c.MemberID, c.Name, c.OrgName,
		Millis(c.EarnedAt), Millis(c.IssuedAt), c.Version)
	if err != nil || !fresh {
		return err
	}
	tx.Audit(entry(c))
	_, err = tx.Exec(`UPDATE quiz_certificate_numbers SET last = ? WHERE issuer_id = ? AND year = ?`, c.Seq, c.IssuerID, c.Year)
	return err
}

func number(year, seq int) string { return fmt.Sprintf("%d-%06d", year, seq) }

const certificateSQL = `SELECT c.id, c.code, c.issuer_id, c.issuer, i.path, c.year, c.seq, c.title, c.paper_id, c.paper_title, c.attempt_id, c.member_id,
	c.name, c.org_name, o.path, c.earned_at, c.issued_at, c.revoked_at, c.revoked_by, c.reason, c.version
	FROM quiz_certificates c JOIN orgs i ON i.id = c.issuer_id JOIN members m ON m.id = c.member_id JOIN orgs o ON o.id = m.org_id WHERE `

func scanCertificate(r Scanner) (c results.Certificate, err error) {
	err = r.Scan(&c.ID, &c.Code, &c.IssuerID, &c.Issuer, &c.IssuerPath, &c.Year, &c.Seq, &c.Title, &c.PaperID, &c.PaperTitle, &c.AttemptID, &c.MemberID,
		&c.Name, &c.OrgName, &c.MemberPath, moment{&c.EarnedAt}, moment{&c.IssuedAt}, moment{&c.RevokedAt}, &c.RevokedBy, &c.Reason, &c.Version)
	c.Number = number(c.Year, c.Seq)
	return c, err
}

func (s *Results) oneCertificate(ctx context.Context, where string, arg any) (*results.Certificate, error) {
	c, err := One(ctx, s.db, scanCertificate, errs.Missing("证书"), certificateSQL+where, arg)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Certificate implements results.Certificates.
func (s *Results) Certificate(ctx context.Context, id ids.ID) (*results.Certificate, error) {
	return s.oneCertificate(ctx, `c.id = ?`, id)
}

// CertificateByCode implements results.Certificates.
func (s *Results) CertificateByCode(ctx context.Context, code string) (*results.Certificate, error) {
	return s.oneCertificate(ctx, `c.code = ?`, code)
}

// CertificateList implements results.Certificates.
func (s *Results) CertificateList(ctx context.Context, f results.CertificateFilter, r page.Request) ([]results.Certificate, error) {
	var w filter
	if f.Member != 0 {
		w.add("c.member_id = ?", f.Member)
	} else {
		area, args := ScopeSQL("o.path", f.Area)
		w.add("c.paper_id = ?", f.Paper)
		w.add(area, args...)
	}
	if r.After != 0 {
		w.add("c.id < ?", r.After)
	}
	return All(ctx, s.db, scanCertificate, certificateSQL+w.String()+` ORDER BY c.id DESC LIMIT ?`, append(w.args, r.Limit+1)...)
}

// Revoke implements results.Certificates.
func (s *Results) Revoke(ctx context.Context, c *results.Certificate, expect int64, e trail.Entry) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Audit(e)
		return swap(tx, "quiz_certificates", c.ID, "证书", `UPDATE quiz_certificates SET revoked_at = ?, revoked_by = ?, reason = ?, version = ?
			WHERE id = ? AND version = ?`, Millis(c.RevokedAt), c.RevokedBy, c.Reason, c.Version, c.ID, expect)
	})
}
