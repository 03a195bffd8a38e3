# an old export, from RouterOS 6
/ip address
add address=192.168.77.1/24 interface=bridge1
/interface bridge
add name=bridge1
/interface pppoe-client
add interface=ether1 name=pppoe-out1 user=alice
/ip firewall address-list
add address=198.51.100.0/24 list=office
add address=0.0.0.0/0 list=world
/ip firewall filter
add action=add-src-to-address-list address-list=scanners chain=forward protocol=tcp psd=21,3s,3,1
add action=drop chain=forward src-address-list=scanners
add action=jump chain=forward in-interface=pppoe-out1 jump-target=from-wan
add action=accept chain=from-wan dst-port=10000-10009 protocol=udp
add action=accept chain=from-wan dst-port=10010-10019 protocol=udp src-address-list=office
add action=jump chain=from-wan jump-target=loop protocol=tcp dst-port=7000
add action=jump chain=loop jump-target=from-wan
add action=accept chain=from-wan connection-nat-state=dstnat dst-address=192.168.77.11
add action=drop chain=from-wan dst-port=10020-10029 protocol=udp layer7-protocol=games
add action=accept chain=from-wan dst-port=10020-10039 protocol=udp
add action=drop chain=from-wan
/ip firewall nat
add action=jump chain=dstnat in-interface=pppoe-out1 jump-target=in
add action=dst-nat chain=in dst-port=10000-10100 protocol=udp to-addresses=192.168.77.10
add action=dst-nat chain=in dst-port=8172 protocol=tcp to-addresses=192.168.77.11
add action=dst-nat chain=in dst-port=7000 protocol=tcp to-addresses=192.168.77.10
/ip firewall raw
add action=notrack chain=prerouting protocol=udp
add action=drop chain=prerouting dst-port=10007 protocol=udp in-interface=pppoe-out1
/ip firewall address-list
add address=lists.example.org list=office
/interface list member
add interface=pppoe-out1 list=INTERNET
/ip firewall nat
add action=dst-nat chain=dstnat dst-port=10008 in-interface-list=INTERNET protocol=tcp to-addresses=192.168.77.11
