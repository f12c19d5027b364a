# What the modules share: one YAML file from typed settings, one systemd service.
{ lib, pkgs }:
{
  name,
  package,
  settings,
  arguments,
  extraService ? { },
}:
let
  format = pkgs.formats.yaml { };
  configFile = format.generate "${name}.yaml" settings;
in
{
  inherit configFile;
  service = lib.recursiveUpdate {
    description = "Sitewarden ${name}";
    wantedBy = [ "multi-user.target" ];
    after = [ "network.target" ];
    serviceConfig = {
      ExecStart = lib.escapeShellArgs ([ "${package}/bin/sitewarden-${name}" ] ++ arguments configFile);
      Restart = "always";
      RestartSec = 2;
      StateDirectory = "sitewarden-${name}";
      StateDirectoryMode = "0700";
      UMask = "0077";
    };
  } extraService;
}
