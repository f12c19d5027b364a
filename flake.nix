{
  description = "Sitewarden: edge appliance runtime and thin cloud relay for clinics";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem = nixpkgs.lib.genAttrs systems;
    in
    {
      packages = forEachSystem (system: {
        default = nixpkgs.legacyPackages.${system}.callPackage ./nix/package.nix { };
      });

      nixosModules = {
        appliance = import ./nix/modules/appliance.nix self;
        relay = import ./nix/modules/relay.nix self;
      };

      checks = forEachSystem (system: {
        package = self.packages.${system}.default;
        modules = import ./nix/tests/modules.nix {
          inherit self nixpkgs system;
        };
      });
    };
}
