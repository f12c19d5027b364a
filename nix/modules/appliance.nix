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
    # Seals the keys to the machine's TPM where there is one.
    extraService.path = [ pkgs.tpm2-tools ];
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
    console = lib.mkOption {
      type = lib.types.nullOr (lib.types.strMatching "tty[0-9]+");
      default = null;
      example = "tty1";
      description = "Terminal that shows the state of the box, and its QR code while it has no site.";
    };
    settings = lib.mkOption {
      type = lib.types.attrsOf lib.types.anything;
      default = { };
      example = {
        relay.url = "https://relay.example";
        relay.rootKey = "what `sitewarden-relay init` printed";
      };
      description = "The appliance's configuration file; docs/reference/configuration.md lists the keys.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.sitewarden.appliance.settings = {
      dataDir = lib.mkDefault "/var/lib/sitewarden-appliance";
      # An open port is of no use to a page that listens on loopback.
      local = lib.mkIf cfg.openFirewall { host = lib.mkDefault "0.0.0.0"; };
    };
    assertions = [
      {
        assertion = cfg.settings ? relay && cfg.settings.relay ? url && cfg.settings.relay ? rootKey;
        message = "services.sitewarden.appliance.settings.relay needs url and rootKey; `sitewarden-relay init` prints the key.";
      }
    ];
    inherit (unit) environment;
    systemd.services.sitewarden-appliance = unit.service;
    systemd.services.sitewarden-console = lib.mkIf (cfg.console != null) {
      description = "Sitewarden on ${toString cfg.console}";
      wantedBy = [ "multi-user.target" ];
      conflicts = [ "getty@${toString cfg.console}.service" ];
      serviceConfig = {
        ExecStart = lib.escapeShellArgs [
          "${cfg.package}/bin/sitewarden-appliance"
          "console"
          "--config"
          "${unit.configFile}"
        ];
        Restart = "always";
        RestartSec = 2;
        StandardOutput = "tty";
        TTYPath = "/dev/${toString cfg.console}";
        TTYReset = true;
        TTYVHangup = true;
      };
    };
    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall [
      50051
      8080
    ];
  };
}
