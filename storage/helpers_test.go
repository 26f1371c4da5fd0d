package storage_test

import (
	"testing"

	"tongxin/internal/testkit"
)

func mysqlDSN(t *testing.T) string {
	t.Helper()
	return testkit.MySQL(t)
}
