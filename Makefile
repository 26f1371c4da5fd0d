# Tongxin. `make` or `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GO       ?= go
TAGS     := e2e proof
STAMP    := web/node_modules/.stamp
CONSOLE  := handlers/dist/console/index.html
WEBSRC   := $(shell find web/console -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
MSTAMP   := web/member/node_modules/.stamp
MEMBER   := handlers/dist/member/index.html
MINI     := web/member/dist/mp-weixin/app.json
MSRC     := $(shell find web/member -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/test/*' 2>/dev/null)

.PHONY: help run test race build web lint fmt bench deps gen clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

run: build ## build everything and start a demo on http://127.0.0.1:8080 with its data in ./data
	./bin/tongxin demo

build: web ## build the front ends and bin/tongxin
	$(GO) build -trimpath -ldflags '-s -w' -o bin/tongxin ./cmd/tongxin

web: $(CONSOLE) $(MEMBER) $(MINI) ## build the front ends only

$(STAMP): web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

$(CONSOLE): $(STAMP) $(WEBSRC)
	cd web && npm run build
	@touch $@

# The member pages have a lock file of their own: uni-app fixes another vite and vue.
$(MSTAMP): web/member/package.json web/member/package-lock.json
	cd web/member && npm ci --no-audit --no-fund
	@touch $@

$(MEMBER): $(MSTAMP) $(MSRC)
	cd web/member && npm run build:h5
	@touch $@

# TONGXIN_MINI_APPID and VITE_TONGXIN_URL say whose mini-program it is: docs/miniprogram.md.
$(MINI): $(MSTAMP) $(MSRC)
	cd web/member && npm run build:mp
	@touch $@

test: deps web ## install what the tests need (Debian, as root) and run everything
	cd web && npm test
	cd web/member && npm test
	$(GO) vet -tags '$(TAGS)' ./...
	TONGXIN_TEST_ARTIFACTS="$(CURDIR)/artifacts" $(GO) run gotest.tools/gotestsum@v1.13.0 --format pkgname --packages ./... -- -tags '$(TAGS)' -timeout 28m

race: deps ## the packages with concurrency under the race detector
	$(GO) test -race -timeout 40m ./live/... ./storage/... ./publish/... ./wechat/... ./internal/... ./staff/... ./member/... ./notify/... ./moderate/... ./quiz/...

deps: ## install (as root) or name the programs that the tests need
	@./scripts/deps.sh

lint: ## vet, staticcheck and formatting
	$(GO) vet -tags '$(TAGS)' ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -tags '$(TAGS)' ./...
	@test -z "$$($(GO) run mvdan.cc/gofumpt@v0.12.0 -l $$(git ls-files '*.go'))" || (echo "run make fmt" && exit 1)
	cd web && npm run typecheck
	cd web/member && npm run typecheck

fmt: ## format the Go code
	$(GO) run mvdan.cc/gofumpt@v0.12.0 -w $$(git ls-files '*.go')

gen: build ## write the OpenAPI documents and the typed clients made from them
	./bin/tongxin openapi staff > web/console/openapi.json
	cd web && npm run gen

bench: build ## print the figures of docs/benchmarks.md
	./bin/tongxin load render
	./bin/tongxin load publish
	./bin/tongxin load write
	./bin/tongxin load campaign
	./bin/tongxin load exam
	./bin/tongxin load contest
	./bin/tongxin load lecture
	./bin/tongxin load lecture -viewers 1200 -rate 100
	./bin/tongxin load lecture -viewers 500 -rate 100 -storm 500

clean: ## remove what was built; data stays
	rm -rf bin artifacts handlers/dist/console/* handlers/dist/member web/node_modules web/member/node_modules web/member/dist
