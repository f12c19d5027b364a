self:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.sitewarden.relay;
  common = import ./common.nix { inherit lib pkgs; };
  unit = common {
    name = "relay";
    inherit (cfg) package settings;
    arguments = file: [
      "serve"
      "--config"
      "${file}"
    ];
    extraService.serviceConfig = {
      DynamicUser = true;
    };
  };
in
{
  options.services.sitewarden.relay = {
    enable = lib.mkEnableOption "the Sitewarden relay";
    package = lib.mkOption {
      type = lib.types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
      description = "Package that holds bin/sitewarden-relay.";
    };
    settings = lib.mkOption {
      type = lib.types.attrsOf lib.types.anything;
      default = { };
      example = {
        publicUrl = "https://relay.example";
      };
      description = "The relay's configuration file; docs/reference/configuration.md lists the keys.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.sitewarden.relay.settings.dataDir = lib.mkDefault "/var/lib/sitewarden-relay";
    inherit (unit) environment;
    systemd.services.sitewarden-relay = unit.service;
  };
}
