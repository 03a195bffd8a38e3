"""The ports of firewalld's own services, by the names that zones call them (as shipped with firewalld 1.3).

Those are left out that differ between versions, or that are about few addresses.
"""

from __future__ import annotations

_TCP = """
ssh 22, telnet 23, smtp 25, http 80, pop3 110, imap 143, ldap 389, https 443, smtps 465, smtp-submission 587, ldaps 636,
imaps 993, pop3s 995, mqtt 1883, etcd-client 2379, etcd-server 2380, grafana 3000, squid 3128, mysql 3306, rdp 3389,
docker-registry 5000, xmpp-client 5222, xmpp-server 5269, postgresql 5432, vnc-server 5900-5903, redis 6379,
kube-apiserver 6443, jenkins 8080, bitcoin 8333, mqtt-tls 8883, cockpit 9090, prometheus 9090, git 9418,
zabbix-agent 10050, zabbix-server 10051, kubelet 10250, synergy 24800, mongodb 27017,
kube-nodeport-services 30000-32767, nfs 2049, ftp 21, dns 53, sip 5060, sips 5061, transmission-client 51413,
snmp 161, rpc-bind 111, mountd 20048, ipp 631, kdeconnect 1714-1764, rsyncd 873
"""
_UDP = """
dns 53, dhcp 67, tftp 69, ntp 123, http3 443, syslog 514, dhcpv6 547, openvpn 1194, wireguard 51820, sip 5060,
sips 5061, transmission-client 51413, snmp 161, rpc-bind 111, mountd 20048, ipp 631, ipp-client 631,
kdeconnect 1714-1764, rsyncd 873
"""


def _read(protocol: str, text: str) -> list[tuple[str, str, str]]:
    return [(name, protocol, ports) for name, ports in (each.split() for each in text.split(","))]


SERVICES: dict[str, tuple[tuple[str, str], ...]] = {}
"""By name: protocol and ports, `("tcp", "5900-5903")`."""
for _name, _protocol, _ports in (*_read("tcp", _TCP), *_read("udp", _UDP)):
    SERVICES[_name] = (*SERVICES.get(_name, ()), (_protocol, _ports))
SERVICES |= {"dhcpv6-client": (("udp", "546"),), "mdns": (("udp", "5353"),)}
