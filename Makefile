# `make help` lists what there is. Everything real happens in CMake and in scripts/.
PREFIX ?= /usr/local
DESTDIR ?=
SIZE ?=
TUTOR ?=
JOBS ?= $(shell nproc)

SHELL := bash
.DEFAULT_GOAL := release
.PHONY: release deps test check demo bench format lint install deb clean help

release: deps ## build the engine as it is installed: build/release/openedx-backup (the default)
	. scripts/lib/ccache.sh && cmake --preset release && cmake --build build/release --parallel $(JOBS)

deps: ## install the packages that building needs (quick when they are there)
	scripts/install-deps

test: ## everything: format, layers, lint, unit tests (also under sanitizers), real servers, the command
	JOBS=$(JOBS) scripts/test

check: ## as test, without servers
	JOBS=$(JOBS) scripts/test --without-servers

demo: deps ## back a real site up, destroy it, restore it, prove it equal (SIZE=1G: bigger; TUTOR=1: by Tutor)
	SIZE=$(SIZE) TUTOR=$(TUTOR) scripts/demo

bench: deps ## compare speed and size with the usual tools, side by side in one run
	JOBS=$(JOBS) bench/run

format: ## format all C++ sources in place
	scripts/format

lint: ## clang-tidy over the sources that changed since it last found them clean
	scripts/lint

install: release ## install engine, man page and completions below PREFIX (and DESTDIR)
	DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)

deb: release ## make a Debian package in dist/
	scripts/install-deps --package
	cd build/release && cpack -G DEB -B "$(CURDIR)/dist"
	rm -rf dist/_CPack_Packages

clean: ## remove what was built here (the testbed's cache folder stays)
	rm -rf build dist

help: ## show this
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-10s %s\n", $$1, $$2}'
	@echo "settings: PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) SIZE=$(SIZE) JOBS=$(JOBS)"
