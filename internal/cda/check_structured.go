package cda

// checkStructured applies the volet eP-MED-DM 2024.01: validity, sections, lines and PDF copy.
func checkStructured(c checker, root *node) {
	for _, t := range []string{templatePharm, templatePCC} {
		if !root.hasTemplate(t) {
			c.fail("templateId "+t, Required)
		}
	}
	if root.value("code", "code") != "57833-6" {
		c.fail("code", Unknown)
	}
	c.carries(root, "documentationOf/serviceEvent/effectiveTime/high", "value")
	copies, content := 0, 0
	for _, s := range root.all("component/structuredBody/component/section") {
		switch {
		case s.hasTemplate("1.2.250.1.213.1.1.2.243"):
			copies++
			checkCopy(c.at("copy"), s)
		case s.hasTemplate("1.2.250.1.213.1.1.2.171"):
			content++
			checkMedicines(c, s)
		case s.hasTemplate(templateDevices):
			content++
			checkDevices(c, s)
		}
	}
	if copies != 1 {
		c.fail("copy", Required)
	}
	if content == 0 {
		c.fail("lines", Required)
	}
}

func checkCopy(c checker, section *node) {
	c.must(section, "id")
	if section.value("code", "code") != "55108-5" {
		c.fail("code", Required)
	}
	media := section.one("entry/organizer/component/observationMedia/value")
	if media == nil {
		c.fail("pdf", Required)
		return
	}
	checkPDF(c, "pdf", media)
}

func checkMedicines(c checker, section *node) {
	entries := section.all("entry/substanceAdministration")
	if len(entries) == 0 {
		c.fail("lines", Required)
	}
	if section.value("code", "code") != "57828-6" {
		c.fail("section/code", Required)
	}
	ids := map[string]bool{}
	collectIDs(section.one("text"), ids)
	for i, e := range entries {
		checkEntry(c.in("lines", i), e, ids)
	}
}

func checkDevices(c checker, section *node) {
	if section.value("code", "code") != "46264-8" {
		c.fail("devices/code", Required)
	}
	entries := section.all("entry/supply")
	if len(entries) == 0 {
		c.fail("devices", Required)
	}
	ids := map[string]bool{}
	collectIDs(section.one("text"), ids)
	for i, e := range entries {
		c := c.in("devices", i)
		c.must(e, "id")
		c.carries(e, "effectiveTime/low", "value")
		if !digits(e.value("repeatNumber", "value")) {
			c.fail("repeatNumber", Required)
		}
		if !ids[e.value("text/reference", "value")] {
			c.fail("text/reference", Required)
		}
		if e.one("participant/participantRole/playingDevice/code") == nil {
			c.fail("device", Required)
		}
		checkFlags(c, e, "13", "14", "15", "34")
	}
}

// checkFlags wants one yes-or-no observation of each kind.
func checkFlags(c checker, e *node, kinds ...string) {
	names := map[string]string{"13": "ald", "14": "workAccident", "15": "nonReimbursable", "34": "prevention"}
	for _, k := range kinds {
		n := 0
		for _, o := range e.all("entryRelationship/observation") {
			if o.hasTemplate("1.2.250.1.213.1.1.3.48." + k) {
				n++
			}
		}
		if n != 1 {
			c.fail(names[k], Required)
		}
	}
}

// collectIDs gathers the identifiers of the narrative, which the entries refer to.
func collectIDs(n *node, ids map[string]bool) {
	if n == nil {
		return
	}
	if id := n.attr("ID"); id != "" {
		ids["#"+id] = true
	}
	for _, child := range n.children {
		collectIDs(child, ids)
	}
}

func checkEntry(c checker, e *node, narrative map[string]bool) {
	for _, t := range []string{"2.16.840.1.113883.10.20.1.24", "1.3.6.1.4.1.19376.1.5.3.1.4.7",
		"1.3.6.1.4.1.19376.1.9.1.3.2", "1.2.250.1.213.1.1.3.83"} {
		if !e.hasTemplate(t) {
			c.fail("templateId "+t, Required)
		}
	}
	if e.attr("classCode") != "SBADM" || e.attr("moodCode") != "INT" {
		c.fail("@moodCode", Required)
	}
	c.must(e, "id", "code", "statusCode")
	c.carries(e, "effectiveTime/low", "value")
	c.carries(e, "effectiveTime/high", "value")
	if !digits(e.value("repeatNumber", "value")) {
		c.fail("repeatNumber", Required)
	}
	if !narrative[e.value("text/reference", "value")] {
		c.fail("text/reference", Required)
	}
	product := e.one("consumable/manufacturedProduct/manufacturedMaterial")
	if product == nil {
		c.fail("consumable", Required)
		return
	}
	c.must(product, "name")
	code := product.one("code")
	if code == nil || (code.attr("code") == "" && code.attr("nullFlavor") == "") {
		c.fail("consumable/code", Required)
	}
	checkRelated(c, e)
}

func checkRelated(c checker, e *node) {
	count := map[string]int{}
	for _, r := range e.all("entryRelationship") {
		for _, child := range r.children {
			for _, t := range child.all("templateId") {
				count[t.attr("root")]++
			}
		}
	}
	for _, r := range []struct{ name, template string }{
		{"directions", "1.2.250.1.213.1.1.3.33"},
		{"substitution", "1.2.250.1.213.1.1.3.87"},
		{"ald", "1.2.250.1.213.1.1.3.48.13"},
		{"workAccident", "1.2.250.1.213.1.1.3.48.14"},
		{"nonReimbursable", "1.2.250.1.213.1.1.3.48.15"},
		{"offLabel", "1.2.250.1.213.1.1.3.48.12"},
	} {
		// A structured dosage replaces the words, as the volet allows.
		structured := r.name == "directions" && e.hasTemplate("1.3.6.1.4.1.19376.1.9.1.3.6")
		if count[r.template] != 1 && !structured {
			c.fail(r.name, Required)
		}
	}
}
