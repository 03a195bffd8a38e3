# jan/02/2026 10:00:00 by RouterOS 7.14
/interface bridge
add name=bridge
/interface list
add comment=defconf name=WAN
add comment=defconf name=LAN
/interface list member
add comment=defconf interface=bridge list=LAN
add comment=defconf interface=ether1 list=WAN
/ip dhcp-client
add comment=defconf interface=ether1
/ip firewall filter
add action=accept chain=input comment="defconf: accept established,related,untracked" connection-state=\
    established,related,untracked
add action=drop chain=input comment="defconf: drop all not coming from LAN" in-interface-list=!LAN
add action=fasttrack-connection chain=forward comment="defconf: fasttrack" connection-state=established,related hw-offload=yes
add action=accept chain=forward comment="defconf: accept established,related, untracked" connection-state=\
    established,related,untracked
add action=drop chain=forward comment="defconf: drop invalid" connection-state=invalid
add action=drop chain=forward comment="defconf: drop all from WAN not DSTNATed" connection-nat-state=!dstnat \
    connection-state=new in-interface-list=WAN
/ip firewall nat
add action=masquerade chain=srcnat comment="defconf: masquerade" ipsec-policy=out,none out-interface-list=WAN
/ipv6 firewall filter
add action=accept chain=forward connection-state=established,related,untracked
add action=drop chain=forward comment="defconf: drop everything else not coming from LAN" in-interface-list=!LAN
/ip firewall nat
add action=dst-nat chain=dstnat comment="\E8\A7\86\E9\A2\91 media" dst-port=10000-10050 in-interface-list=WAN \
    protocol=udp to-addresses=192.168.77.10
add action=dst-nat chain=dstnat dst-address=203.0.113.20 dst-port=8172,8443 protocol=tcp to-addresses=192.168.77.10
add action=dst-nat chain=dstnat disabled=yes dst-port=9000 protocol=tcp to-addresses=192.168.77.10 to-ports=9000
add action=dst-nat chain=dstnat dst-port=9001 in-interface=ether1 protocol=tcp src-address=!198.51.100.0/24 \
    to-addresses=192.168.77.10 to-ports=9002
add action=dst-nat chain=dstnat dst-port=9001 in-interface=ether1 protocol=tcp to-addresses=192.168.77.10
add action=dst-nat chain=dstnat dst-address=203.0.113.99 dst-port=9003 protocol=tcp to-addresses=192.168.77.10
add action=dst-nat chain=dstnat dst-port=20000-20009 in-interface-list=WAN protocol=udp to-addresses=192.168.77.10 \
    to-ports=30000-30009
add action=dst-nat chain=dstnat dst-port=9004 in-interface-list=LAN protocol=tcp to-addresses=192.168.77.10
add action=redirect chain=dstnat dst-port=9005 in-interface-list=WAN protocol=tcp to-ports=80
