package exchange

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/quiz"
)

// Importer joins reading files and the bank.
type Importer struct{ bank *quiz.Bank }

// NewImporter makes an importer.
func NewImporter(bank *quiz.Bank) *Importer { return &Importer{bank} }

// Ask says how a file is to be taken.
type Ask struct {
	Format   Format
	Defaults Defaults
	quiz.ImportAsk
}

// Import reads a file and takes its questions into the bank; see quiz.Bank.Import.
func (i *Importer) Import(ctx context.Context, actor *authz.Actor, data []byte, ask Ask) (*quiz.ImportReport, error) {
	if err := i.bank.MayImport(ctx, actor, ask.OrgID); err != nil {
		return nil, err // before the work of reading
	}
	f, err := Parse(data, ask.Format, ask.Defaults)
	if err != nil {
		return nil, err
	}
	ask.Attachments = f.Pictures
	return i.bank.Import(ctx, actor, f.Items, ask.ImportAsk)
}
