"""Kinds of hops in the words of people who own them."""

from __future__ import annotations

from PySide6.QtCore import QObject

from wizard.model.hop import HopKind


class HopWords(QObject):
    """Titles and one-line explanations."""

    def title(self, kind: HopKind) -> str:
        """What people call it."""
        return {
            HopKind.CGNAT: self.tr("Provider's NAT (CGNAT)"),
            HopKind.SECURITY_GROUP: self.tr("Cloud security group"),
            HopKind.ROUTER: self.tr("Home router"),
            HopKind.FIREWALL: self.tr("Firewall"),
            HopKind.TUNNEL_SERVER: self.tr("Tunnel server"),
            HopKind.TUNNEL_CLIENT: self.tr("Tunnel client"),
            HopKind.CONTAINER: self.tr("Container"),
            HopKind.SERVICE: self.tr("Service"),
        }[kind]

    def explained(self, kind: HopKind) -> str:
        """What it does to packets."""
        return {
            HopKind.CGNAT: self.tr(
                "Your provider shares one public address among customers. Nobody outside can get in through it "
                "unless the provider forwards the port."
            ),
            HopKind.SECURITY_GROUP: self.tr(
                "The rules of a cloud provider, in front of the host. They let ports through or drop them."
            ),
            HopKind.ROUTER: self.tr(
                "Translates between the internet and your network. Every port needs a forwarding rule in it."
            ),
            HopKind.FIREWALL: self.tr(
                "Rules on a host, such as ufw, nftables or iptables. It lets ports through, drops or rejects them."
            ),
            HopKind.TUNNEL_SERVER: self.tr(
                "The public end of a tunnel, such as frps on a rented host. It takes connections and hands them on."
            ),
            HopKind.TUNNEL_CLIENT: self.tr(
                "The home end of a tunnel, such as frpc. It connects to your service for each port that it knows."
            ),
            HopKind.CONTAINER: self.tr(
                "Docker, Podman or Kubernetes. Only published ports get in, each for udp or for tcp."
            ),
            HopKind.SERVICE: self.tr("The program itself. It must listen on the ports, and not only on loopback."),
        }[kind]
