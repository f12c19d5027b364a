# Evaluates the modules and the package where no nixpkgs can be fetched: a stand-in of the few functions they use.
# It shows that the files parse, that every option set exists here and that the values come out as meant; a real
# NixOS evaluation is nix/tests/modules.nix, run by `nix flake check`.
let
  lib = rec {
    mkEnableOption = text: { description = text; default = false; };
    mkOption = option: option;
    mkDefault = value: value;
    mkIf = condition: value: if condition then value else { };
    escapeShellArgs = builtins.concatStringsSep " ";
    recursiveUpdate =
      left: right:
      left
      // builtins.mapAttrs (
        name: value:
        if builtins.isAttrs value && builtins.isAttrs (left.${name} or null) then recursiveUpdate left.${name} value else value
      ) right;
    importJSON = path: builtins.fromJSON (builtins.readFile path);
    concatStrings = builtins.concatStringsSep "";
    mapAttrsToList = f: set: map (name: f name set.${name}) (builtins.attrNames set);
    fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    fileset = {
      toSource = { root, fileset }: assert builtins.all builtins.pathExists fileset; root;
      unions = paths: paths;
    };
    types = {
      package = "package";
      bool = "bool";
      anything = "anything";
      attrsOf = type: "attrsOf ${type}";
    };
    licenses.asl20 = "Apache-2.0";
    platforms.linux = [ "x86_64-linux" ];
  };
  pkgs = {
    tpm2-tools = "/nix/store/tpm2-tools";
    stdenv.hostPlatform.system = "x86_64-linux";
    formats.yaml = _: { generate = name: settings: "/etc/${name}?${builtins.toJSON settings}"; };
  };
  package = import ../package.nix {
    inherit lib;
    stdenv.mkDerivation = attributes: attributes // { outPath = "/nix/store/${attributes.pname}"; };
    nodejs_24 = "/nix/store/nodejs";
    makeWrapper = "/nix/store/make-wrapper";
    cacert = "/nix/store/cacert";
  };
  self.packages.x86_64-linux.default = "/nix/store/sitewarden";
  evaluate =
    path: name: settings:
    let
      module = import path self {
        inherit lib pkgs;
        config.services.sitewarden.${name} = {
          enable = true;
          package = self.packages.x86_64-linux.default;
          openFirewall = true;
          inherit settings;
        };
      };
    in
    {
      options = builtins.attrNames module.options.services.sitewarden.${name};
      unit = module.config.systemd.services."sitewarden-${name}";
      refused = builtins.map (one: one.message) (
        builtins.filter (one: !one.assertion) (module.config.assertions or [ ])
      );
      etc = module.config.environment.etc."sitewarden/${name}.yaml".source;
      onPath = module.config.environment.systemPackages;
      ports = module.config.networking.firewall.allowedTCPPorts or [ ];
    };
in
{
  package = {
    inherit (package) pname version;
    install = builtins.stringLength package.installPhase > 0;
    build = builtins.stringLength package.buildPhase > 0;
  };
  appliance = evaluate ../modules/appliance.nix "appliance" {
    relay.url = "https://relay.example";
    relay.rootKey = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
  };
  applianceWithoutKey = evaluate ../modules/appliance.nix "appliance" { relay.url = "https://relay.example"; };
  relay = evaluate ../modules/relay.nix "relay" { publicUrl = "https://relay.example"; };
}
