# The whole workspace as one store path, with a wrapper for each program. The programs run from source on nodejs_24.
{
  lib,
  stdenv,
  nodejs_24,
  makeWrapper,
  cacert,
}:
let
  manifest = lib.importJSON ../package.json;

  source = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../package.json
      ../package-lock.json
      ../.npmrc
      ../agent-proto
      ../kit
      ../agent
      ../appliance
      ../relay
    ];
  };

  npmDepsHash = import ./npm-deps-hash.nix;

  # The lockfile carries no download addresses, so importNpmLock has nothing to fetch from: a fixed-output derivation
  # of `npm ci` does, and its hash pins every byte. Install scripts stay off.
  nodeModules = stdenv.mkDerivation {
    pname = "sitewarden-node-modules";
    inherit (manifest) version;
    src = lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions [
        ../package.json
        ../package-lock.json
        ../.npmrc
        ../agent-proto/package.json
        ../kit/package.json
        ../agent/package.json
        ../appliance/package.json
        ../relay/package.json
        ../relay/web/package.json
      ];
    };
    nativeBuildInputs = [
      nodejs_24
      cacert
    ];
    buildPhase = ''
      export HOME=$TMPDIR
      npm ci --ignore-scripts --no-audit --no-fund
    '';
    installPhase = ''
      mkdir -p $out/relay
      # Links into the workspace are made anew beside the sources.
      rm -rf node_modules/@sitewarden node_modules/.bin
      cp -r node_modules $out/node_modules
      if [ -d relay/node_modules ]; then cp -r relay/node_modules $out/relay/node_modules; fi
    '';
    dontFixup = true;
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
    outputHash = if npmDepsHash == null then lib.fakeHash else npmDepsHash;
  };

  programs = {
    sitewarden-appliance = "appliance/bin/sitewarden-appliance.ts";
    sitewarden-relay = "relay/bin/sitewarden-relay.ts";
    sitewarden-agent = "agent/bin/sitewarden-agent.ts";
  };
in
stdenv.mkDerivation {
  pname = "sitewarden";
  inherit (manifest) version;
  src = source;

  nativeBuildInputs = [
    nodejs_24
    makeWrapper
  ];

  buildPhase = ''
    cp -r ${nodeModules}/node_modules node_modules
    chmod -R u+w node_modules
    if [ -d ${nodeModules}/relay/node_modules ]; then cp -r ${nodeModules}/relay/node_modules relay/node_modules; chmod -R u+w relay/node_modules; fi
    mkdir -p node_modules/@sitewarden
    for part in agent-proto kit agent appliance relay; do ln -s ../../$part node_modules/@sitewarden/$part; done
    vite=$(ls -d node_modules/vite relay/node_modules/vite 2>/dev/null | head -n 1)
    vite=$PWD/$vite/bin/vite.js
    (cd relay/web && node "$vite" build)
  '';

  installPhase = ''
    mkdir -p $out/lib/sitewarden $out/bin
    cp -r . $out/lib/sitewarden
    ${lib.concatStrings (
      lib.mapAttrsToList (name: path: ''
        makeWrapper ${nodejs_24}/bin/node $out/bin/${name} --add-flags $out/lib/sitewarden/${path}
      '') programs
    )}
  '';

  meta = {
    description = manifest.description;
    license = lib.licenses.asl20;
    platforms = lib.platforms.linux;
    mainProgram = "sitewarden-appliance";
  };
}
