# shellcheck shell=bash
# Compiler output that survives the checkout; paths in it are relative, so another checkout hits too.
. scripts/lib/cache.sh
export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache} CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
