package cli

import "strings"

// view says how a kind of result is printed. The zero value prints it as it is,
// and a table of it has a column for each simple field.
type view struct {
	// fields are printed as null when the answer lacks them, so that a query
	// for one of them finds it.
	fields []string
	// columns are those of a table; nil means all simple fields, sorted.
	columns []column
	// texts are the columns, by their headings, that are made of the whole
	// element instead of one field.
	texts map[string]func(element any) any
	// output is the form if --output does not say one; zero means json, or what
	// the settings say.
	output string
}

// column is a heading and the path of the field below it.
type column struct {
	heading string
	path    []string
}

func subscriptionView() view {
	return view{columns: []column{
		{"Name", []string{"name"}}, {"CloudName", []string{"cloudName"}}, {"SubscriptionId", []string{"id"}},
		{"TenantId", []string{"tenantId"}}, {"State", []string{"state"}}, {"IsDefault", []string{"isDefault"}},
	}}
}

func groupView() view {
	return view{fields: []string{"id", "location", "managedBy", "name", "properties", "tags", "type"}}
}

func groupListView() view {
	v := groupView()
	v.columns = []column{
		{"Name", []string{"name"}}, {"Location", []string{"location"}}, {"Status", []string{"properties", "provisioningState"}},
	}
	return v
}

func accountView() view {
	return view{fields: []string{"etag", "id", "identity", "kind", "location", "name", "properties", "sku", "systemData", "tags", "type"}}
}

func keysView() view { return view{fields: []string{"key1", "key2"}} }

// complete adds to a result, or to each element of a list, the fields it lacks
// and the name of its resource group.
func (v view) complete(result any) any {
	if v.fields == nil {
		return result
	}
	elements, isList := result.([]any)
	if !isList {
		elements = []any{result}
	}
	for _, element := range elements {
		if object, ok := element.(map[string]any); ok {
			for _, field := range v.fields {
				if _, present := object[field]; !present {
					object[field] = nil
				}
			}
		}
	}
	addGroup(result)
	return result
}

// addGroup sets resourceGroup in every object, at any depth, whose id lies in a
// resource group and that does not say it itself.
func addGroup(v any) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			addGroup(element)
		}
	case map[string]any:
		for _, value := range v {
			addGroup(value)
		}
		id, _ := v["id"].(string)
		parts := strings.Split(id, "/")
		if len(parts) < 9 || !strings.EqualFold(parts[3], "resourceGroups") {
			return
		}
		for key := range v {
			if strings.EqualFold(key, "resourceGroup") {
				return
			}
		}
		v["resourceGroup"] = parts[4]
	}
}

// tabulate picks the table's columns out of a result.
func (v view) tabulate(result any, keys func(map[string]any) []string) (any, func(map[string]any) []string) {
	elements, ok := result.([]any)
	if v.columns == nil || !ok {
		return result, keys
	}
	rows := make([]any, 0, len(elements))
	for _, element := range elements {
		row := map[string]any{}
		for _, c := range v.columns {
			if text := v.texts[c.heading]; text != nil {
				row[c.heading] = text(element)
			} else {
				row[c.heading] = at(element, c.path)
			}
		}
		rows = append(rows, row)
	}
	return rows, func(map[string]any) []string {
		var headings []string
		for _, c := range v.columns {
			headings = append(headings, c.heading)
		}
		return headings
	}
}

func at(v any, path []string) any {
	for _, field := range path {
		object, _ := v.(map[string]any)
		v = object[field]
	}
	return v
}
