package member

// Seams for the tests.
func (s *Service) Due(m *Member) Date                       { return s.due(m) }
func CheckChar(first17 string) byte                         { return checkChar(first17) }
func ParseDate(s string) (Date, bool)                       { return parseDate(s) }
func PhoneOf(s string) (string, bool)                       { return phoneOf(s) }
func IDNumberOf(s string, today Date) (string, bool)        { return idNumberOf(s, today) }
func Mask(s string) string                                  { return mask(s) }
func TellsNumber(s string) bool                             { return tellsNumber(s) }
func (d Date) Plus(years, days int) Date                    { return d.plus(years, days) }
func Columns() []string                                     { return columns() }
func (s *Service) Workbook(rows [][]string) ([]byte, error) { return s.workbook(rows, false) }
