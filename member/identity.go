package member

import (
	"strings"
	"time"
)

// phoneOf cleans a mobile number of mainland China: 11 figures from 13 to 19.
// Blanks, dashes and a leading +86 are dropped.
func phoneOf(s string) (string, bool) {
	s = strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(strings.TrimSpace(s))
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+86"), "0086")
	if len(s) != 11 || s[0] != '1' || s[1] < '3' || !digits(s) {
		return "", false
	}
	return s, true
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// idNumberOf cleans a citizen identity number and checks it as GB 11643-1999
// says: 17 figures with a date of birth in the past, and the check character of
// ISO 7064 MOD 11-2.
func idNumberOf(s string, today Date) (string, bool) {
	s = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(s), " ", ""))
	if len(s) != 18 || !digits(s[:17]) {
		return "", false
	}
	born := birthOf(s)
	if born == "" || born > today || s[17] != checkChar(s[:17]) {
		return "", false
	}
	return s, true
}

// checkChar is the last character of an identity number: the weight of the
// figure at place i from the right is 2^i mod 11.
func checkChar(first17 string) byte {
	sum, weight := 0, 2
	for i := len(first17) - 1; i >= 0; i-- {
		sum += int(first17[i]-'0') * weight
		weight = weight * 2 % 11
	}
	return "10X98765432"[sum%11]
}

// birthOf reads the date of birth out of an identity number.
func birthOf(number string) Date {
	t, err := time.Parse("20060102", number[6:14])
	if err != nil || t.Year() < 1900 {
		return ""
	}
	return Date(t.Format(dateForm))
}

// genderOf reads the gender: the 17th figure is odd for men.
func genderOf(number string) string {
	if (number[16]-'0')%2 == 1 {
		return "male"
	}
	return "female"
}

// mask keeps the first three and the last four characters.
func mask(s string) string {
	if len(s) < 9 {
		return "****"
	}
	return s[:3] + strings.Repeat("*", len(s)-7) + s[len(s)-4:]
}

// tellsNumber finds figures in free text that may be a phone or ID number:
// reasons and notes are kept in clear and must hold none.
func tellsNumber(s string) bool {
	run := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			run++
		case r == ' ' || r == '-':
		default:
			run = 0
		}
		if run >= 11 {
			return true
		}
	}
	return false
}

// sealPhone puts a checked number into m, or takes it away.
func (s *Service) sealPhone(m *Member, phone string) (err error) {
	m.SealedPhone, m.PhoneIndex, err = s.sealNumber(phone, PhonePurpose, PhoneUse(m.ID))
	return err
}

func (s *Service) sealID(m *Member, number string) (err error) {
	m.SealedID, m.IDIndex, err = s.sealNumber(number, IDPurpose, IDUse(m.ID))
	return err
}

func (s *Service) sealNumber(plain, purpose, use string) (sealed, index string, err error) {
	if plain == "" {
		return "", "", nil
	}
	if sealed, err = s.cfg.Sealer.Seal([]byte(plain), use); err != nil {
		return "", "", err
	}
	return sealed, s.cfg.Sealer.BlindIndexes(purpose, plain)[0], nil
}

// numbers opens what is sealed; empty text where there is nothing.
func (s *Service) numbers(m *Member) (phone, number string, err error) {
	if phone, err = s.open(m.SealedPhone, PhoneUse(m.ID)); err != nil {
		return "", "", err
	}
	number, err = s.open(m.SealedID, IDUse(m.ID))
	return phone, number, err
}

func (s *Service) open(sealed, use string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	plain, err := s.cfg.Sealer.Open(sealed, use)
	return string(plain), err
}

// show fills in what is computed for a reader: masks and the end of a probation.
func (s *Service) show(m *Member) error {
	phone, number, err := s.numbers(m)
	if err != nil {
		return err
	}
	m.Phone, m.IDNumber, m.ProbationDue = "", "", s.due(m)
	if phone != "" {
		m.Phone = mask(phone)
	}
	if number != "" {
		m.IDNumber = mask(number)
	}
	if m.Posts == nil {
		m.Posts = []string{}
	}
	return nil
}

// indexes of a number under every key; nil for none.
func (s *Service) indexes(purpose, plain string) []string {
	if plain == "" {
		return nil
	}
	return s.cfg.Sealer.BlindIndexes(purpose, plain)
}

// keys are what no other member of the house may share: see Store.
func (s *Service) keys(phone, number string) Keys {
	return Keys{Phone: s.indexes(PhonePurpose, phone), ID: s.indexes(IDPurpose, number)}
}
