#!/bin/sh
# Renews nix/npm-deps-hash.nix after package-lock.json changed. Needs Nix with flakes and a network.
set -eu
cd "$(dirname "$0")/.."
file=nix/npm-deps-hash.nix
comment=$(grep '^#' "$file")
printf '%s\nnull\n' "$comment" > "$file"
hash=$(nix build .#default 2>&1 | sed -n 's/^ *got: *\(sha256-[A-Za-z0-9+/=]*\)$/\1/p' | head -n 1)
[ -n "$hash" ] || { echo "Nix named no hash; run 'nix build .#default' and read its output." >&2; exit 1; }
printf '%s\n"%s"\n' "$comment" "$hash" > "$file"
echo "$hash"
