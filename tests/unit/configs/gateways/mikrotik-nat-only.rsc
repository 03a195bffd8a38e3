/ip firewall nat add chain=dstnat action=dst-nat protocol=udp dst-port=10000-10100 in-interface-list=WAN to-addresses=192.168.77.10
/ip firewall nat add chain=dstnat "broken
