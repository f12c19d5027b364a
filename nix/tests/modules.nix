# Evaluates both modules in a whole NixOS configuration and builds only the text of what they set.
{
  self,
  nixpkgs,
  system,
}:
let
  machine = nixpkgs.lib.nixosSystem {
    inherit system;
    modules = [
      self.nixosModules.appliance
      self.nixosModules.relay
      {
        services.sitewarden.appliance = {
          enable = true;
          openFirewall = true;
          settings.relay.url = "https://relay.example";
          settings.relay.rootKey = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        };
        services.sitewarden.relay = {
          enable = true;
          settings.publicUrl = "https://relay.example";
        };
        fileSystems."/".device = "/dev/null";
        boot.loader.grub.enable = false;
        system.stateVersion = "25.11";
      }
    ];
  };
in
nixpkgs.legacyPackages.${system}.writeText "sitewarden-modules" (
  builtins.toJSON {
    appliance = machine.config.systemd.services.sitewarden-appliance.serviceConfig.ExecStart;
    relay = machine.config.systemd.services.sitewarden-relay.serviceConfig.ExecStart;
    ports = machine.config.networking.firewall.allowedTCPPorts;
  }
)
