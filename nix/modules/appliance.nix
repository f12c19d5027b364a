self:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.sitewarden.appliance;
  common = import ./common.nix { inherit lib pkgs; };
  unit = common {
    name = "appliance";
    inherit (cfg) package settings;
    arguments = file: [
      "run"
      "--config"
      "${file}"
    ];
  };
in
{
  options.services.sitewarden.appliance = {
    enable = lib.mkEnableOption "the Sitewarden appliance";
    package = lib.mkOption {
      type = lib.types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
      description = "Package that holds bin/sitewarden-appliance.";
    };
    openFirewall = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Open the agent port (50051) and the local page (8080) on the site's network.";
    };
    settings = lib.mkOption {
      type = lib.types.attrsOf lib.types.anything;
      default = { };
      example = {
        relay.url = "https://relay.example";
      };
      description = "The appliance's configuration file; docs/reference/configuration.md lists the keys.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.sitewarden.appliance.settings.dataDir = lib.mkDefault "/var/lib/sitewarden-appliance";
    systemd.services.sitewarden-appliance = unit.service;
    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall [
      50051
      8080
    ];
  };
}
