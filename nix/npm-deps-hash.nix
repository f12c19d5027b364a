# Hash of the installed dependency tree of package-lock.json; `scripts/update-npm-deps-hash.sh` renews it on a machine
# with Nix and a network. null makes Nix say the right one at the first build.
null
