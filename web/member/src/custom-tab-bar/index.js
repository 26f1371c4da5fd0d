// Pages bring their own tab bar, which follows the text size; this one is
// what WeChat asks for and shows nothing.
Component({})
