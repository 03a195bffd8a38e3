<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en">
<context>
    <name>Answerers</name>
    <message numerus="yes">
        <source>Answers on %n port(s) here.</source>
        <translation>
            <numerusform>Answers on %n port here.</numerusform>
            <numerusform>Answers on %n ports here.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n port(s) are held by a program, which is left alone.</source>
        <translation>
            <numerusform>%n port is held by a program, which is left alone.</numerusform>
            <numerusform>%n ports are held by programs, which are left alone.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n observation(s) of other computers count from the next test on.</source>
        <translation>
            <numerusform>%n observation of another computer counts from the next test on.</numerusform>
            <numerusform>%n observations of other computers count from the next test on.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Probes of %n port(s) were answered.</source>
        <translation>
            <numerusform>Probes of %n port were answered.</numerusform>
            <numerusform>Probes of %n ports were answered.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Probes of %n port(s) got as far as the network card and no further.</source>
        <translation>
            <numerusform>Probes of %n port got as far as the network card and no further.</numerusform>
            <numerusform>Probes of %n ports got as far as the network card and no further.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Waiting for the responder; asked %n time(s).</source>
        <translation>
            <numerusform>Waiting for the responder; asked %n time.</numerusform>
            <numerusform>Waiting for the responder; asked %n times.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PortsPage</name>
    <message numerus="yes">
        <source>%n port(s) in all</source>
        <translation>
            <numerusform>%n port in all</numerusform>
            <numerusform>%n ports in all</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ProblemsDialog</name>
    <message numerus="yes">
        <source>%n thing(s) are wrong with this file</source>
        <translation>
            <numerusform>%n thing is wrong with this file</numerusform>
            <numerusform>%n things are wrong with this file</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>TestPage</name>
    <message numerus="yes">
        <source>Not tested yet. %n port(s) will be probed.</source>
        <translation>
            <numerusform>Not tested yet. %n port will be probed.</numerusform>
            <numerusform>Not tested yet. %n ports will be probed.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n place(s)</source>
        <translation>
            <numerusform>%n place</numerusform>
            <numerusform>%n places</numerusform>
        </translation>
    </message>
</context>
</TS>
